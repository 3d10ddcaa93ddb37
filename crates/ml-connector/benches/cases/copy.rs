//! The yardstick for storing: the same rows, piped with COPY into the same table.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use sqlx::PgConnection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Sent at once; larger pieces are not faster.
const PIECE: usize = 256 * 1024;

/// Writes the table's rows to a file, as COPY writes them.
pub async fn save_documents(db: &mut PgConnection, file: &Path) -> anyhow::Result<()> {
    let mut out = tokio::io::BufWriter::new(tokio::fs::File::create(file).await?);
    let mut rows = db.copy_out_raw("copy documents to stdout").await?;
    while let Some(piece) = rows.try_next().await? {
        out.write_all(&piece).await?;
    }
    out.shutdown().await?;
    Ok(())
}

/// Pipes the file into the empty table `documents` in one transaction and returns how long it took,
/// the commit included.
pub async fn load_documents(db: &mut PgConnection, file: &Path) -> anyhow::Result<(Duration, u64)> {
    let mut source = tokio::fs::File::open(file).await?;
    let mut piece = vec![0; PIECE];
    let started = Instant::now();
    let mut copy = db.copy_in_raw("copy documents from stdin").await?;
    loop {
        let length = source.read(&mut piece).await?;
        let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) else { break };
        copy.send(read).await?;
    }
    let rows = copy.finish().await?;
    Ok((started.elapsed(), rows))
}
