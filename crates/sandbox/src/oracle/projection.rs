//! What of a record an answer shows: `fields`, `expand`, links, and the forms of the version.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::schema::Resource;
use super::value::InstantStyle;

/// The attributes and children of one resource to show.
#[derive(Clone, Debug, Default)]
pub(crate) struct Projection {
    /// Bit per attribute; all when absent.
    pub attributes: Option<u64>,
    pub children: Vec<(usize, Projection)>,
}

/// How links are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Links {
    /// `onlyData=true`
    Hidden,
    /// `links=self`
    SelfOnly,
    All,
}

/// The form of the answer.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Form {
    pub version: u8,
    pub instants: InstantStyle,
    pub child_limit: Option<usize>,
    pub links: Links,
    /// Scheme, host and version root of links.
    pub base: String,
}

impl Form {
    /// From version 9 ids are strings, as they exceed what a float holds.
    pub(crate) fn ids_as_text(&self) -> bool {
        self.version >= 9
    }

    /// From version 3 expanded children are objects with paging information.
    pub(crate) fn children_as_objects(&self) -> bool {
        self.version >= 3
    }

    /// From version 6 what is not data stands apart in `@context`.
    pub(crate) fn has_context(&self) -> bool {
        self.version >= 6 && self.links != Links::Hidden
    }
}

impl Projection {
    /// Reads `fields` and `expand`; where both are given, `fields` wins.
    ///
    /// # Errors
    /// The name that is not known, with the parameter it stood in.
    pub(crate) fn read(
        resource: &'static Resource,
        fields: Option<&str>,
        expand: Option<&str>,
    ) -> Result<Self, String> {
        let mut root = Self::default();
        if let Some(fields) = fields {
            root.attributes = Some(0);
            for group in fields.split(';').filter(|group| !group.trim().is_empty()) {
                root.read_fields(resource, group)?;
            }
        } else if let Some(expand) = expand {
            for path in expand.split(',').map(str::trim).filter(|path| !path.is_empty()) {
                if path == "all" {
                    (0..resource.children.len()).for_each(|at| {
                        root.child(at);
                    });
                } else {
                    root.descend(resource, path).map_err(|name| format!("expand: {name}"))?;
                }
            }
        }
        Ok(root)
    }

    fn read_fields(&mut self, resource: &'static Resource, group: &str) -> Result<(), String> {
        let (path, names) = group.split_once(':').unwrap_or(("", group));
        let (target, resource) = if path.trim().is_empty() {
            (self, resource)
        } else {
            self.descend(resource, path.trim()).map_err(|name| format!("fields: {name}"))?
        };
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if let Some(at) = resource.attribute(name) {
                *target.attributes.get_or_insert(0) |= 1 << at;
            } else if let Some((child, _)) = resource.child(name) {
                target.child(child);
            } else {
                return Err(format!("fields: {name}"));
            }
        }
        Ok(())
    }

    /// Walks a dotted path of children; those in between come along.
    fn descend(
        &mut self,
        resource: &'static Resource,
        path: &str,
    ) -> Result<(&mut Self, &'static Resource), String> {
        let mut target = self;
        let mut resource = resource;
        for name in path.split('.') {
            let (at, child) = resource.child(name).ok_or_else(|| name.to_owned())?;
            target = target.child(at);
            resource = child;
        }
        Ok((target, resource))
    }

    fn child(&mut self, at: usize) -> &mut Self {
        let found = match self.children.iter().position(|(child, _)| *child == at) {
            Some(found) => found,
            None => {
                self.children.push((at, Self::default()));
                self.children.len() - 1
            }
        };
        &mut self.children[found].1
    }

    pub(crate) fn shows(&self, attribute: u8) -> bool {
        self.attributes.is_none_or(|bits| bits & (1 << attribute) != 0)
    }

    /// A key under which renderings of this projection in this form can be kept.
    pub(crate) fn key(&self, form: &Form) -> u64 {
        let mut hasher = DefaultHasher::new();
        form.hash(&mut hasher);
        self.hash_into(&mut hasher);
        hasher.finish()
    }

    fn hash_into(&self, hasher: &mut DefaultHasher) {
        self.attributes.hash(hasher);
        self.children.len().hash(hasher);
        for (at, child) in &self.children {
            at.hash(hasher);
            child.hash_into(hasher);
        }
    }
}
