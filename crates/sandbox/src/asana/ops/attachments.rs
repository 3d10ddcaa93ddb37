//! Attachments: an upload as multipart, or a link. The content is measured and dropped.

use super::Ctx;
use super::input::path_gid;
use crate::asana::call::{Call, Reply, select};
use crate::asana::error::Fail;
use crate::asana::json::Json;
use crate::asana::select::Select;
use crate::asana::world::Attachment;

/// The largest upload, in bytes (100 MB).
pub(crate) const MAX_UPLOAD: usize = 100_000_000;

/// One part of a multipart body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub name: String,
    pub file_name: Option<String>,
    pub body: Vec<u8>,
}

/// Answers 200, not 201, as documented.
pub(crate) fn create(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let field = |name: &str| -> Option<String> {
        let part = call.form.iter().find(|p| p.name == name)?;
        Some(String::from_utf8_lossy(&part.body).into_owned())
    };
    let parent = field("parent").ok_or_else(|| Fail::missing("parent"))?;
    let task = path_gid("parent", parent.trim())?;
    ctx.seen_task(task, || Fail::unknown_in_body("parent", task))?;
    let attachment = if field("resource_subtype").as_deref() == Some("external") {
        let url = field("url").ok_or_else(|| Fail::missing("url"))?;
        let name = field("name").ok_or_else(|| Fail::missing("name"))?;
        Attachment { task, name, created_at: ctx.now, size: None, url: Some(url) }
    } else {
        let file = call.form.iter().find(|p| p.name == "file").ok_or_else(|| Fail::missing("file"))?;
        if file.body.len() > MAX_UPLOAD {
            return Err(Fail::bad("file: The file exceeds the maximum size of 100 MB"));
        }
        let name = field("name").or_else(|| file.file_name.clone()).unwrap_or_else(|| "file".to_owned());
        Attachment { task, name, created_at: ctx.now, size: Some(file.body.len()), url: None }
    };
    let gid = ctx.world.new_gid();
    ctx.world.attachments.insert(gid, attachment);
    ctx.remember(task);
    ctx.world.touch(task, ctx.now);
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    if let Some(file) = ctx.world.attachments.get(&gid) {
        ctx.view().attachment(&mut w, select(tree.as_ref(), Select::Full), gid, file);
    }
    Ok(Reply::ok(w))
}

pub(crate) fn get(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = path_gid("attachment", &call.segments[1])?;
    let file = ctx.world.attachments.get(&gid).ok_or_else(|| Fail::unknown("attachment", gid))?;
    ctx.seen_task(file.task, || Fail::unknown("attachment", gid))?;
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    ctx.view().attachment(&mut w, select(tree.as_ref(), Select::Full), gid, file);
    Ok(Reply::ok(w))
}

/// Takes a multipart body apart.
pub(crate) fn parts(content_type: &str, body: &[u8]) -> Result<Vec<Part>, Fail> {
    let invalid = || Fail::bad("Could not parse request data, invalid multipart body");
    let boundary =
        content_type.split(';').find_map(|p| p.trim().strip_prefix("boundary=")).ok_or_else(invalid)?;
    let mark = format!("--{}", boundary.trim_matches('"')).into_bytes();
    let mut found = Vec::new();
    let mut at = find(body, &mark, 0).ok_or_else(invalid)?.saturating_add(mark.len());
    let line_mark = [b"\r\n".as_slice(), &mark].concat();
    while body[at..].starts_with(b"\r\n") {
        let head_end = find(body, b"\r\n\r\n", at).ok_or_else(invalid)?;
        let end = find(body, &line_mark, head_end).ok_or_else(invalid)?;
        let head = String::from_utf8_lossy(&body[at..head_end]).into_owned();
        let start = head_end.saturating_add(4).min(end);
        let disposition = head
            .lines()
            .find(|l| l.to_ascii_lowercase().starts_with("content-disposition:"))
            .ok_or_else(invalid)?;
        found.push(Part {
            name: quoted(disposition, " name=").ok_or_else(invalid)?,
            file_name: quoted(disposition, " filename="),
            body: body[start..end].to_vec(),
        });
        at = end.saturating_add(line_mark.len());
    }
    Ok(found)
}

fn find(body: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let rest = body.get(from..)?;
    rest.windows(what.len()).position(|w| w == what).map(|i| i.saturating_add(from))
}

fn quoted(line: &str, key: &str) -> Option<String> {
    let start = line.find(key)?.saturating_add(key.len());
    let value = line.get(start..)?;
    Some(value.split(';').next()?.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multipart_body_is_taken_apart() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"parent\"\r\n\r\n12\r\n--x\r\n\
            content-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n\
            one\r\ntwo\r\n--x--\r\n";
        let found = parts("multipart/form-data; boundary=x", body).unwrap();
        assert_eq!(found[0], Part { name: "parent".into(), file_name: None, body: b"12".to_vec() });
        assert_eq!(found[1].file_name.as_deref(), Some("a.txt"));
        assert_eq!(found[1].body, b"one\r\ntwo");
    }

    #[test]
    fn a_torn_multipart_body_is_refused() {
        for body in ["", "--x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb"] {
            let result = parts("multipart/form-data; boundary=x", body.as_bytes());
            assert!(result.map_or(true, |p| p.is_empty()), "{body:?}");
        }
    }
}
