//! Texts kept aside in a temporary file that has no name: it is gone with the process, whatever ends it.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;

use crate::code::Code;
use crate::error::{Error, Result};

/// Bytes that are collected before they are written.
const BUFFER: usize = 256 * 1024;

/// Where a text stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    offset: u64,
    length: usize,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Spool {
    file: File,
    written: u64,
    buffer: Vec<u8>,
}

impl Spool {
    /// An empty one.
    pub(crate) fn new() -> Result<Spool> {
        let file = tempfile::tempfile().map_err(broken)?;
        Ok(Spool { file, written: 0, buffer: Vec::with_capacity(BUFFER) })
    }

    /// Adds a text.
    pub(crate) fn add(&mut self, text: &str) -> Result<Slot> {
        let slot = Slot { offset: self.written + self.buffer.len() as u64, length: text.len() };
        self.buffer.extend_from_slice(text.as_bytes());
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(slot)
    }

    /// Writes what was collected.
    fn flush(&mut self) -> Result<()> {
        self.file.write_all(&self.buffer).map_err(broken)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// The text that was added there.
    pub(crate) fn get(&mut self, slot: Slot) -> Result<String> {
        if slot.offset + slot.length as u64 > self.written {
            self.flush()?;
        }
        let mut bytes = vec![0; slot.length];
        self.file.read_exact_at(&mut bytes, slot.offset).map_err(broken)?;
        String::from_utf8(bytes).map_err(|e| Error::plain(Code::DryRunBroken).because(e))
    }
}

fn broken(error: std::io::Error) -> Error {
    Error::plain(Code::DryRunBroken).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_read_in_any_order_also_before_all_is_written() {
        let mut spool = Spool::new().unwrap();
        let texts: Vec<String> = (0..2_000).map(|n| format!("{n}ł").repeat(n % 300)).collect();
        let mut slots = Vec::new();
        for (n, text) in texts.iter().enumerate() {
            slots.push(spool.add(text).unwrap());
            assert_eq!(spool.get(slots[n / 2]).unwrap(), texts[n / 2]);
        }
        for (slot, text) in slots.iter().zip(&texts).rev() {
            assert_eq!(spool.get(*slot).unwrap(), *text);
        }
    }
}
