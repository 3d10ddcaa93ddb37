//! Reading a body up to a limit.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::HttpBody;
use bytes::Bytes;

/// Read and thrown away of a body that is too large, in bytes, so that whoever sends it gets to read the answer.
const DISCARDED_BYTES: usize = 4 * 1024 * 1024;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It goes beyond the limit.
    TooLarge,
    /// The connection broke, or the body is not what it was announced to be.
    Broken,
}

/// The whole body, of at most `limit` bytes.
pub(super) async fn read<B>(body: &mut B, announced: Option<usize>, limit: usize) -> Result<Vec<u8>, Unread>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut read = Vec::with_capacity(announced.unwrap_or(0).min(limit));
    while let Some(piece) = next(body).await? {
        if read.len() + piece.len() > limit {
            drop(read);
            discard(body).await;
            return Err(Unread::TooLarge);
        }
        read.extend_from_slice(&piece);
    }
    Ok(read)
}

/// Reads on for a while and keeps nothing.
pub(super) async fn discard<B>(body: &mut B)
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut discarded = 0;
    while discarded < DISCARDED_BYTES {
        let Ok(Some(piece)) = next(body).await else { return };
        discarded += piece.len();
    }
}

async fn next<B>(body: &mut B) -> Result<Option<Bytes>, Unread>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        None => Ok(None),
        // trailers say nothing
        Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
        Some(Err(_)) => Err(Unread::Broken),
    }
}
