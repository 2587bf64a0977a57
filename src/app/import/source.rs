//! Where the bytes of a file come from. A file is read twice, so it must be possible to open it again;
//! standard input is copied to a temporary file first.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _};

/// The bytes of a file of users, in memory or on disk.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// All of them.
    Bytes(&'a [u8]),
    /// An open file that can be read from its start again.
    File(&'a File),
}

impl<'a> Source<'a> {
    /// Reads from the first byte. Only one reader of a file is used at a time.
    pub(super) fn open(self) -> io::Result<Box<dyn BufRead + 'a>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(bytes),
            Self::File(mut file) => {
                file.rewind()?;
                Box::new(BufReader::with_capacity(64 * 1024, file))
            }
        })
    }

    /// How many bytes it has.
    pub(super) fn bytes(self) -> io::Result<u64> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::File(file) => Ok(file.metadata()?.len()),
        }
    }
}

impl<'a> From<&'a [u8]> for Source<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Source<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a File> for Source<'a> {
    fn from(file: &'a File) -> Self {
        Self::File(file)
    }
}

/// Reads UTF-16 as UTF-8. Half of a surrogate pair becomes bytes that are not valid UTF-8, so that the
/// next reader reports it.
pub(super) struct Utf16<R> {
    input: R,
    is_big: bool,
    high: Option<u16>,
    odd: Option<u8>,
    decoded: Vec<u8>,
    at: usize,
}

impl<R: Read> Utf16<R> {
    /// Reads after the byte-order mark.
    pub fn new(input: R, is_big: bool) -> Self {
        Self { input, is_big, high: None, odd: None, decoded: Vec::new(), at: 0 }
    }

    fn decode(&mut self) -> io::Result<()> {
        let mut raw = [0; 16 * 1024];
        self.decoded.clear();
        self.at = 0;
        while self.decoded.is_empty() {
            let count = self.input.read(&mut raw)?;
            if count == 0 {
                let high = self.high.take();
                high.into_iter().for_each(|half| self.push_half(half));
                if self.odd.take().is_some() {
                    self.decoded.push(0xff);
                }
                return Ok(());
            }
            for byte in &raw[..count] {
                match self.odd.take() {
                    None => self.odd = Some(*byte),
                    Some(first) if self.is_big => self.unit(u16::from_be_bytes([first, *byte])),
                    Some(first) => self.unit(u16::from_le_bytes([first, *byte])),
                }
            }
        }
        Ok(())
    }

    fn unit(&mut self, unit: u16) {
        if let Some(high) = self.high.take() {
            if let Some(Ok(c)) = char::decode_utf16([high, unit]).next() {
                self.push(c);
                return;
            }
            self.push_half(high);
        }
        match unit {
            0xd800..=0xdbff => self.high = Some(unit),
            0xdc00..=0xdfff => self.push_half(unit),
            _ => self.push(char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}')),
        }
    }

    fn push(&mut self, c: char) {
        self.decoded.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn push_half(&mut self, half: u16) {
        let [high, low] = half.to_be_bytes();
        self.decoded.extend([
            0xe0 | (high >> 4),
            0x80 | ((high & 0xf) << 2) | (low >> 6),
            0x80 | (low & 0x3f),
        ]);
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.decoded.len() {
            self.decode()?;
        }
        let count = buffer.len().min(self.decoded.len() - self.at);
        buffer[..count].copy_from_slice(&self.decoded[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
