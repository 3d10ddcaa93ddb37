//! The program at a terminal: a pseudo-terminal whose other end the test holds.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::program::PATIENCE;

/// Keys that are no letters.
pub const ENTER: &str = "\r";
pub const ESC: &str = "\x1b";
pub const CTRL_C: &str = "\x03";

/// A program at a terminal.
pub struct Terminal {
    child: Child,
    keys: File,
    bytes: UnboundedReceiver<Vec<u8>>,
    raw: Vec<u8>,
    /// How much of the screen's text was waited for already.
    seen: usize,
}

impl Terminal {
    /// Starts the command at a terminal of 120 columns.
    pub fn start(command: Command) -> Terminal {
        Terminal::of_width(command, 120)
    }

    /// Starts the command at a terminal of so many columns.
    pub fn of_width(mut command: Command, columns: u16) -> Terminal {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let own =
            File::from(rustix::fs::open(OsStr::from_bytes(path.as_bytes()), flags, Mode::empty()).unwrap());
        tcsetwinsize(&own, Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let end = || Stdio::from(own.try_clone().unwrap());
        command.env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().unwrap();
        // the screen ends when the program's own ends are closed
        drop(command);
        drop(own);
        let master = File::from(master);
        let (keys, mut screen) = (master.try_clone().unwrap(), master);
        let (tell, bytes) = unbounded_channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = screen.read(&mut buffer) {
                if count == 0 || tell.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal { child, keys, bytes, raw: Vec::new(), seen: 0 }
    }

    /// Everything that was on the screen so far, without colours and movements.
    pub fn screen(&self) -> String {
        plain(&String::from_utf8_lossy(&self.raw))
    }

    /// Waits until `text` is on the screen, after what was waited for before.
    pub async fn sees(&mut self, text: &str) {
        let begin = std::time::Instant::now();
        loop {
            let screen = self.screen();
            if let Some(at) = screen[self.seen..].find(text) {
                self.seen += at + text.len();
                return;
            }
            let left = PATIENCE.saturating_sub(begin.elapsed());
            match tokio::time::timeout(left, self.bytes.recv()).await {
                Ok(Some(bytes)) => self.raw.extend(bytes),
                Ok(None) => panic!("it ended without {text:?}:\n{screen}"),
                Err(_) => panic!("{text:?} does not come after:\n{}", &screen[self.seen..]),
            }
        }
    }

    /// Types.
    pub fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Sends what Ctrl-C sends while no question is open.
    pub fn interrupts(&self) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }

    /// Waits for a question and answers it.
    pub async fn answers(&mut self, question: &str, answer: &str) {
        self.sees(question).await;
        self.types(&format!("{answer}{ENTER}"));
    }

    /// Waits for the program's end; its code, and everything that was on the screen.
    pub async fn ends(mut self) -> (Option<i32>, String) {
        let ended = tokio::time::timeout(PATIENCE, async {
            while let Some(bytes) = self.bytes.recv().await {
                self.raw.extend(bytes);
            }
            self.child.wait().await.unwrap().code()
        });
        match ended.await {
            Ok(code) => (code, self.screen()),
            Err(_) => panic!("it does not end:\n{}", self.screen()),
        }
    }
}

/// Text without escape sequences. One that has only half arrived is left out too.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\x1b' {
            plain.push(c);
        } else if rest.next() == Some('[') {
            rest.by_ref().find(|c| matches!(c, '@'..='~'));
        }
    }
    plain
}

#[test]
fn only_the_text_of_a_screen_is_seen() {
    assert_eq!(plain("a\x1b[1;32mb\x1b[0m\x1b[2Kc\x1b[?2004hd\x1b[3"), "abcd");
}
