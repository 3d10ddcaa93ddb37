//! The stable error codes (`MLC-….`): one list that the program, its pages and `docs/errors/` share.
//!
//! A code is never reused and never changes its meaning. Each area's codes stand in a file of their own;
//! each file is a macro that hands the list on to the next, so that the whole remains one enum.

pub use class::Class;

mod class;

/// What a code says to the person who meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// The stable name, such as `MLC-1201`.
    pub code: &'static str,
    /// What kind of failure it is.
    pub class: Class,
    /// One line: what happened.
    pub title: &'static str,
    /// What it means for the data.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

macro_rules! codes {
    ([] $($name:ident $class:ident $code:literal $title:literal, $meaning:literal, $remedy:literal;)*) => {
        /// Every failure a person can meet.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            /// All codes, in the order of the list.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The text that belongs to the code.
            #[must_use]
            pub const fn info(self) -> CodeInfo {
                match self {
                    $(Code::$name => CodeInfo {
                        code: $code, class: Class::$class, title: $title, meaning: $meaning, remedy: $remedy,
                    },)*
                }
            }
        }
    };
}

#[macro_use]
mod program;
#[macro_use]
mod oracle;
#[macro_use]
mod asana;
#[macro_use]
mod mapping;
#[macro_use]
mod reconcile;
#[macro_use]
mod hooks;
#[macro_use]
mod journals;
#[macro_use]
mod operations;
#[macro_use]
mod replay;
#[macro_use]
mod resolve;
#[macro_use]
mod setting_up;

program! { [oracle asana mapping reconcile hooks journals operations replay resolve setting_up codes] }

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.info().code)
    }
}

impl Code {
    /// What kind of failure it is.
    #[must_use]
    pub const fn class(self) -> Class {
        self.info().class
    }

    /// Finds a code by its name, in any case, with or without `MLC-`.
    #[must_use]
    pub fn find(name: &str) -> Option<Code> {
        let name = name.trim().to_ascii_uppercase();
        let full = if name.starts_with("MLC-") { name } else { format!("MLC-{name}") };
        Code::ALL.iter().copied().find(|c| c.info().code == full)
    }
}

#[cfg(test)]
mod tests;
