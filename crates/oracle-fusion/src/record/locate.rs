//! Where in a record an error happened, as a path of attributes.
//!
//! The parser gives a line and a column. Reading the text again up to there finds the attribute, and costs
//! nothing while records are fine.

use super::RecordError;

enum Frame {
    Object { key: String, expects_key: bool },
    Array { index: usize },
}

pub(super) fn explain(text: &str, error: &serde_json::Error) -> RecordError {
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let end = (line_start + error.column()).min(text.len());
    let message = error.to_string();
    let problem = message.rsplit_once(" at line ").map_or(message.as_str(), |(problem, _)| problem);
    RecordError { path: path_at(&text.as_bytes()[..end]), problem: problem.to_owned() }
}

fn path_at(text: &[u8]) -> String {
    let mut frames: Vec<Frame> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' => frames.push(Frame::Object { key: String::new(), expects_key: true }),
            b'[' => frames.push(Frame::Array { index: 0 }),
            b'}' | b']' => drop(frames.pop()),
            // the comma after the value that failed is already the next one's
            b',' if at < text.len() => match frames.last_mut() {
                Some(Frame::Object { expects_key, .. }) => *expects_key = true,
                Some(Frame::Array { index }) => *index += 1,
                None => {}
            },
            b'"' => {
                let length = string_length(&text[at..]);
                if let Some(Frame::Object { key, expects_key: expects_key @ true }) = frames.last_mut() {
                    *key = String::from_utf8_lossy(&text[at..at + length]).into_owned();
                    *expects_key = false;
                }
                at += length + 1;
            }
            _ => {}
        }
    }
    display(&frames)
}

/// The bytes before the closing quote.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    let end = text.iter().position(|&byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    end.unwrap_or(text.len())
}

fn display(frames: &[Frame]) -> String {
    let mut path = String::new();
    for (depth, frame) in frames.iter().enumerate() {
        match frame {
            // the `items` of a child is a matter of form
            Frame::Object { key, .. }
                if key == "items"
                    && depth > 0
                    && matches!(frames.get(depth + 1), Some(Frame::Array { .. })) => {}
            Frame::Object { key, .. } => {
                if !path.is_empty() && !key.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Frame::Array { index } => path.push_str(&format!("[{index}]")),
        }
    }
    if path.is_empty() { "record".to_owned() } else { path }
}
