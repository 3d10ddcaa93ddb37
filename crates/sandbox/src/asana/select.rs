//! Which members of a record are answered: compact, full, or exactly those that `opt_fields` names.
//!
//! Grammar from <https://developers.asana.com/docs/inputoutput-options>: comma separated paths, an optional
//! `this.` in front, groups such as `(followers|assignee).email`. An unknown path is ignored.

use super::config::BarePaths;

/// The most paths that groups may expand to; more are dropped.
const MAX_PATHS: usize = 4000;

/// In which records a member stands when nobody asked for it by name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// `resource_type`: in every record that is not narrowed to other names.
    Id,
    /// In compact and full records.
    Compact,
    /// In full records only.
    Full,
    /// Only when named.
    OptIn,
}

/// What is wanted of one object.
#[derive(Clone, Copy)]
pub(crate) enum Select<'a> {
    Compact,
    Full,
    Paths(&'a Tree),
    /// `gid` and `resource_type` alone.
    IdOnly,
}

impl<'a> Select<'a> {
    /// What is wanted inside the member `name`, or `None` when it is not wanted at all.
    ///
    /// `inside` is what a record holds there when no path speaks of it.
    pub fn child(self, name: &str, class: Class, inside: Select<'a>) -> Option<Select<'a>> {
        let stands = match self {
            Self::IdOnly => class == Class::Id,
            Self::Compact => matches!(class, Class::Id | Class::Compact),
            Self::Full => class != Class::OptIn,
            Self::Paths(tree) => {
                if let Some(child) = tree.get(name) {
                    return Some(if child.children.is_empty() { child.bare() } else { Self::Paths(child) });
                }
                return tree.whole.and_then(|base| base.select().child(name, class, Select::Compact));
            }
        };
        stands.then_some(inside)
    }

    /// For members that are answered whole once named, such as the custom fields of a task.
    pub fn at_least_compact(self) -> Self {
        if let Self::IdOnly = self { Self::Compact } else { self }
    }
}

impl From<BarePaths> for Base {
    fn from(setting: BarePaths) -> Self {
        match setting {
            BarePaths::Compact => Base::Compact,
            BarePaths::GidOnly => Base::IdOnly,
        }
    }
}

/// What a path that ends at an object brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    Compact,
    IdOnly,
}

impl Base {
    fn select(self) -> Select<'static> {
        match self {
            Self::Compact => Select::Compact,
            Self::IdOnly => Select::IdOnly,
        }
    }
}

/// The paths of one `opt_fields`, as a tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    /// Set where a path ends.
    whole: Option<Base>,
    children: Vec<(String, Tree)>,
}

impl Tree {
    pub fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    pub fn parse<'t>(lists: impl IntoIterator<Item = &'t str>, base: Base) -> Self {
        let mut root = Self::default();
        let mut paths = Vec::new();
        for list in lists {
            for term in split(list, ',') {
                expand(term.trim(), &mut paths);
            }
        }
        for path in &paths {
            root.insert(path.strip_prefix("this.").unwrap_or(path), base);
        }
        root
    }

    fn insert(&mut self, path: &str, base: Base) {
        let mut node = self;
        for part in path.split('.').map(str::trim).filter(|p| !p.is_empty()) {
            let at = match node.children.iter().position(|(name, _)| name == part) {
                Some(at) => at,
                None => {
                    node.children.push((part.to_owned(), Tree::default()));
                    node.children.len().saturating_sub(1)
                }
            };
            node = &mut node.children[at].1;
        }
        node.whole = Some(base);
    }

    fn get(&self, name: &str) -> Option<&Tree> {
        self.children.iter().find(|(known, _)| known == name).map(|(_, tree)| tree)
    }

    fn bare(&self) -> Select<'_> {
        self.whole.unwrap_or(Base::Compact).select()
    }
}

/// Splits at `by` where no parenthesis is open.
fn split(text: &str, by: char) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if c == by && depth <= 0 => {
                parts.push(&text[start..i]);
                start = i + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Multiplies the groups of one path out.
fn expand(path: &str, out: &mut Vec<String>) {
    if out.len() >= MAX_PATHS {
        return;
    }
    let Some(open) = path.find('(') else {
        if !path.is_empty() && !path.contains(')') {
            out.push(path.to_owned());
        }
        return;
    };
    let mut depth = 0_i32;
    let close = path[open..].char_indices().find_map(|(i, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(open + i)
    });
    let Some(close) = close else { return };
    for choice in split(&path[open + 1..close], '|') {
        expand(&format!("{}{}{}", &path[..open], choice.trim(), &path[close + 1..]), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree {
        Tree::parse([text], Base::Compact)
    }

    #[test]
    fn groups_and_the_this_prefix_spell_the_same_paths() {
        assert_eq!(tree("this.(followers|assignee).email,name"), tree("followers.email,assignee.email,name"));
        assert_eq!(tree("a.(b|c.(d|e))"), tree("a.b,a.c.d,a.c.e"));
    }

    #[test]
    fn a_broken_group_asks_for_nothing() {
        assert_eq!(tree("(a|b.email"), tree(""));
        assert_eq!(tree("a)"), tree(""));
    }

    #[test]
    fn a_path_and_its_own_continuation_add_up() {
        let t = tree("assignee,assignee.email");
        let inside = Select::Paths(&t).child("assignee", Class::Full, Select::Compact).unwrap();
        for (name, class, wanted) in
            [("name", Class::Compact, true), ("email", Class::Full, true), ("photo", Class::Full, false)]
        {
            assert_eq!(inside.child(name, class, Select::Compact).is_some(), wanted, "{name}");
        }
    }
}
