//! Kinds of failures: what codes have in common, so that many failures can be looked at together.

macro_rules! classes {
    ($($name:ident $text:literal $what:literal;)*) => {
        /// What kind of failure a code is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Class { $(#[doc = $what] $name,)* }

        impl Class {
            /// All classes.
            pub const ALL: &'static [Class] = &[$(Class::$name,)*];

            /// The stable name, such as `rate_limit`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Class::$name => $text,)* }
            }

            /// One line: what the codes of the class have in common.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Class::$name => $what,)* }
            }
        }
    };
}

classes! {
    Connection "connection" "A side, a receiver or the database cannot be reached, or fails to answer.";
    Credential "credential" "A key, secret or token is missing, unreadable or not accepted.";
    RateLimit "rate_limit" "A side asks to slow down.";
    Value "value" "A value is missing, unreadable, or cannot be taken over as it is.";
    MissingReference "missing_reference" "Something that is named does not exist, or is not visible.";
    Permission "permission" "A right, a role or a paid plan is missing.";
    Conflict "conflict" "Two things claim the same place, or somebody else is at it.";
    RejectedByOracle "rejected_by_oracle" "Oracle understood and declined.";
    TooLarge "too_large" "More, or more digits, than a side takes.";
    InDoubt "in_doubt" "It is not known for sure what a side did.";
    Settings "settings" "The connection's settings do not fit.";
    Usage "usage" "What was asked for cannot be done as it was asked.";
    Internal "internal" "This program or its surroundings failed.";
    Notice "notice" "Nothing failed: it says why something was done or left.";
}

impl Class {
    /// Finds a class by its name, in any case, with `-` or a space for `_`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Class> {
        let name = name.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        Class::ALL.iter().copied().find(|class| class.as_str() == name)
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    #[test]
    fn every_class_is_found_by_its_name_and_has_codes() {
        for class in Class::ALL {
            assert_eq!(Class::parse(class.as_str()), Some(*class));
            assert!(Code::ALL.iter().any(|code| code.class() == *class), "no code is of {class}");
        }
        assert_eq!(Class::parse(" Missing-Reference "), Some(Class::MissingReference));
        assert_eq!(Class::parse("missing"), None);
    }
}
