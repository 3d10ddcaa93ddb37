//! Rows in PostgreSQL's binary COPY format: the quickest way in, about twice as fast as INSERT.
//!
//! The format: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format".

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::code::Code;
use crate::error::{Error, Result};

/// Signature, flags and header extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Microseconds from 1970 to PostgreSQL's epoch, 2000-01-01.
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

/// Rows on their way into a table.
#[derive(Debug)]
pub struct Rows {
    bytes: Vec<u8>,
    columns: i16,
    rows: u64,
}

impl Rows {
    /// No rows yet, of so many columns.
    #[must_use]
    pub fn of_columns(columns: i16) -> Rows {
        Rows { bytes: HEADER.to_vec(), columns, rows: 0 }
    }

    /// Begins a row; its columns follow in order.
    pub fn begin(&mut self) -> &mut Rows {
        self.rows += 1;
        self.bytes.extend_from_slice(&self.columns.to_be_bytes());
        self
    }

    /// A `uuid`.
    pub fn uuid(&mut self, value: Uuid) -> Result<&mut Rows> {
        self.bytes(value.as_bytes())
    }

    /// A `text`.
    pub fn text(&mut self, value: &str) -> Result<&mut Rows> {
        self.bytes(value.as_bytes())
    }

    /// A `text` that may be null.
    pub fn text_or_null(&mut self, value: Option<&str>) -> Result<&mut Rows> {
        match value {
            Some(value) => self.text(value),
            None => Ok(self.null()),
        }
    }

    /// A `timestamptz` that may be null; PostgreSQL keeps microseconds.
    pub fn instant_or_null(&mut self, value: Option<Timestamp>) -> Result<&mut Rows> {
        match value {
            Some(at) => self.bytes(&(at.as_microsecond() - EPOCH_MICROSECONDS).to_be_bytes()),
            None => Ok(self.null()),
        }
    }

    /// A `bytea`.
    pub fn bytes(&mut self, value: &[u8]) -> Result<&mut Rows> {
        let length = i32::try_from(value.len())
            .map_err(|_| Error::new(Code::Database, "a value is longer than PostgreSQL can store"))?;
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(value);
        Ok(self)
    }

    fn null(&mut self) -> &mut Rows {
        self.bytes.extend_from_slice(&(-1i32).to_be_bytes());
        self
    }

    /// Sends the rows with a `COPY … FROM STDIN WITH (FORMAT binary)` statement; returns how many.
    pub async fn send(mut self, db: &mut PgConnection, statement: &str) -> Result<u64> {
        if self.rows == 0 {
            return Ok(0);
        }
        self.bytes.extend_from_slice(&(-1i16).to_be_bytes());
        let mut copy = db.copy_in_raw(statement).await?;
        copy.send(self.bytes).await?;
        Ok(copy.finish().await?)
    }
}
