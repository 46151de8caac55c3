//! Which files of a crate use what its other files define.
//!
//! Files are found as the compiler finds them, from the crate's root along its `mod` items. A name is
//! followed through `use`, also where one module hands on what another one defines, to the file of the
//! item itself. Paths within macros count like all others. Inline tests may use what they like.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta, UseTree, Visibility, ext::IdentExt as _};

use super::{Finding, Source};

/// The modules of one crate, its root first.
pub(super) struct Modules(Vec<Module>);

struct Module {
    file: String,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    /// Names that are defined here.
    items: BTreeSet<String>,
    imports: Vec<Import>,
    mentions: Vec<Mention>,
}

struct Import {
    path: Vec<String>,
    /// What it is called here; `None` for every name of a module.
    name: Option<String>,
    /// Whether others may take it from here.
    is_handed_on: bool,
}

/// A path in the code.
struct Mention {
    path: Vec<String>,
    /// Whether it is the type of what a variant of an `enum` holds.
    is_part: bool,
}

/// Names can be handed on in a circle; no honest one goes this far.
const STEPS_MAX: u32 = 12;

/// Whether the file at `path` is the root of a crate.
pub(super) fn is_root(path: &str) -> bool {
    let Some(place) = path.strip_suffix(".rs") else { return false };
    let parts: Vec<&str> = place.split('/').collect();
    matches!(
        parts.as_slice(),
        [.., "src", "lib" | "main"]
            | [.., "tests" | "benches" | "examples" | "bin", _, "main"]
            | [.., "tests" | "benches" | "examples" | "bin" | "fuzz_targets", _]
    )
}

impl Modules {
    /// Reads the crate with this root; `sources` are all files by path.
    ///
    /// # Errors
    /// A file that is no Rust.
    pub(super) fn read(root: &str, sources: &BTreeMap<&str, &Source>) -> Result<Self, Finding> {
        let mut modules = Self(Vec::new());
        let crate_root = modules.add(root, None);
        modules.read_file(crate_root, folder_of(root), sources)?;
        Ok(modules)
    }

    /// The files that each file uses, except its own and the parts of its `enum`s: a sum type
    /// names what it is a sum of, which may know the sum.
    pub(super) fn uses(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (at, module) in self.0.iter().enumerate() {
            let mut note = |used: Option<usize>| {
                let file = used.map(|used| self.0[used].file.as_str());
                if let Some(file) = file.filter(|file| *file != module.file) {
                    uses.entry(&module.file).or_default().insert(file);
                }
            };
            for mention in module.mentions.iter().filter(|mention| !mention.is_part) {
                note(self.defining(at, &mention.path, STEPS_MAX));
            }
            for import in &module.imports {
                let is_mentioned = |name: &String| {
                    module.mentions.iter().any(|mention| mention.path.first() == Some(name))
                };
                // A trait is used without its name.
                if !import.name.as_ref().is_some_and(is_mentioned) {
                    let used = self.defining(at, &import.path, STEPS_MAX);
                    // What a folder hands on of its own is no use that it makes of it.
                    note(used.filter(|used| !(import.is_handed_on && self.is_within(*used, at))));
                }
            }
        }
        uses
    }

    /// Whether the file `inner` lies in the folder of the module that `outer` is.
    pub(super) fn encloses(&self, outer: &str, inner: &str) -> bool {
        let place = |file: &str| self.0.iter().position(|module| module.file == file);
        place(outer)
            .zip(place(inner))
            .is_some_and(|(outer, inner)| outer != inner && self.is_within(inner, outer))
    }

    fn is_within(&self, inner: usize, outer: usize) -> bool {
        std::iter::successors(Some(inner), |at| self.0[*at].parent).any(|at| at == outer)
    }

    /// The module that defines what `path` means in the code of the module `at`; `None` for what is not
    /// this crate's.
    fn defining(&self, at: usize, path: &[String], steps: u32) -> Option<usize> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.within(0, rest, steps),
            "self" => self.within(at, rest, steps),
            "super" => {
                let parent = self.0[at].parent?;
                match rest.first().map(String::as_str) {
                    Some("super") => self.defining(parent, rest, steps),
                    _ => self.within(parent, rest, steps),
                }
            }
            // A module's name alone is a field or a variable of the same name.
            name if rest.is_empty() && self.0[at].children.contains_key(name) => None,
            name => self.knows(at, name, steps).then(|| self.within(at, path, steps))?,
        }
    }

    /// The module that defines `path` as seen from outside of the module `at`.
    fn within(&self, at: usize, path: &[String], steps: u32) -> Option<usize> {
        let steps = steps.checked_sub(1)?;
        let Some((first, rest)) = path.split_first() else { return Some(at) };
        let module = &self.0[at];
        if let Some(child) = module.children.get(first) {
            return self.within(*child, rest, steps);
        }
        if module.items.contains(first) {
            return Some(at);
        }
        if let Some(import) =
            module.imports.iter().find(|import| import.name.as_ref() == Some(first))
        {
            let path: Vec<String> = import.path.iter().chain(rest).cloned().collect();
            return self.defining(at, &path, steps);
        }
        let globs = module.imports.iter().filter(|import| import.name.is_none());
        let mut taken = globs.filter_map(|import| self.defining(at, &import.path, steps));
        match taken.find(|from| *from != at && self.knows(*from, first, steps)) {
            Some(from) => self.within(from, path, steps),
            // What a macro makes has no name that could be seen here.
            None => Some(at),
        }
    }

    /// Whether `name` is a name of this crate in the module `at`.
    fn knows(&self, at: usize, name: &str, steps: u32) -> bool {
        let Some(steps) = steps.checked_sub(1) else { return false };
        let module = &self.0[at];
        let is_taken = |import: &Import| match &import.name {
            Some(taken) => taken == name,
            None => self
                .defining(at, &import.path, steps)
                .is_some_and(|from| from != at && self.knows(from, name, steps)),
        };
        module.children.contains_key(name)
            || module.items.contains(name)
            || module.imports.iter().any(is_taken)
    }

    fn add(&mut self, file: &str, parent: Option<usize>) -> usize {
        self.0.push(Module {
            file: file.to_owned(),
            parent,
            children: BTreeMap::new(),
            items: BTreeSet::new(),
            imports: Vec::new(),
            mentions: Vec::new(),
        });
        self.0.len() - 1
    }

    /// Reads the file of the module `at`, the files of whose children lie in `folder`.
    fn read_file(
        &mut self,
        at: usize,
        folder: &str,
        sources: &BTreeMap<&str, &Source>,
    ) -> Result<(), Finding> {
        let Some(source) = sources.get(self.0[at].file.as_str()) else { return Ok(()) };
        let file = syn::parse_file(&source.text)
            .map_err(|why| source.finding(1, format!("cannot be read: {why}")))?;
        self.read_items(at, folder, file.items, sources)
    }

    fn read_items(
        &mut self,
        at: usize,
        folder: &str,
        items: Vec<Item>,
        sources: &BTreeMap<&str, &Source>,
    ) -> Result<(), Finding> {
        for item in items {
            match item {
                Item::Mod(item) => self.read_module(at, folder, item, sources)?,
                Item::Use(item) => {
                    let is_handed_on = !matches!(item.vis, Visibility::Inherited);
                    self.import(at, Vec::new(), item.tree, is_handed_on);
                }
                item => self.read_item(at, item),
            }
        }
        Ok(())
    }

    fn read_module(
        &mut self,
        parent: usize,
        folder: &str,
        item: ItemMod,
        sources: &BTreeMap<&str, &Source>,
    ) -> Result<(), Finding> {
        let name = item.ident.unraw().to_string();
        let beneath = format!("{folder}/{name}");
        let child = match item.content {
            Some(_) if item.attrs.iter().any(is_for_tests) => return Ok(()),
            Some((_, items)) => {
                let file = self.0[parent].file.clone();
                let child = self.add(&file, Some(parent));
                self.read_items(child, &beneath, items, sources)?;
                child
            }
            None => {
                let named = item.attrs.iter().find_map(path_of);
                let (file, beneath) = if let Some(named) = named {
                    let file = joined(folder_of(&self.0[parent].file), &named);
                    (file.clone(), folder_of(&file).to_owned())
                } else {
                    let file = format!("{beneath}.rs");
                    let is_there = sources.contains_key(file.as_str());
                    (if is_there { file } else { format!("{beneath}/mod.rs") }, beneath)
                };
                let child = self.add(&file, Some(parent));
                self.read_file(child, &beneath, sources)?;
                child
            }
        };
        self.0[parent].children.insert(name, child);
        Ok(())
    }

    fn import(&mut self, at: usize, mut path: Vec<String>, tree: UseTree, is_handed_on: bool) {
        let name = match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.unraw().to_string());
                return self.import(at, path, *tree.tree, is_handed_on);
            }
            UseTree::Group(group) => {
                for tree in group.items {
                    self.import(at, path.clone(), tree, is_handed_on);
                }
                return;
            }
            UseTree::Glob(_) => None,
            UseTree::Name(tree) => {
                path.push(tree.ident.unraw().to_string());
                path.pop_if(|last| *last == "self");
                path.last().cloned()
            }
            UseTree::Rename(tree) => {
                path.push(tree.ident.unraw().to_string());
                path.pop_if(|last| *last == "self");
                Some(tree.rename.unraw().to_string())
            }
        };
        self.0[at].imports.push(Import { path, name, is_handed_on });
    }

    fn read_item(&mut self, at: usize, item: Item) {
        let module = &mut self.0[at];
        module.items.extend(name_of(&item));
        if let Item::Enum(item) = item {
            for attribute in item.attrs {
                mentions(attribute.into_token_stream(), false, &mut module.mentions);
            }
            mentions(item.generics.into_token_stream(), false, &mut module.mentions);
            for variant in item.variants {
                for field in variant.fields {
                    mentions(field.ty.into_token_stream(), true, &mut module.mentions);
                    for attribute in field.attrs {
                        mentions(attribute.into_token_stream(), false, &mut module.mentions);
                    }
                }
                for attribute in variant.attrs {
                    mentions(attribute.into_token_stream(), false, &mut module.mentions);
                }
            }
        } else {
            mentions(item.into_token_stream(), false, &mut module.mentions);
        }
    }
}

/// The name under which others find an item.
fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.unraw().to_string())
}

fn is_for_tests(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    let condition = list.tokens.to_string();
    list.path.is_ident("cfg") && (condition == "test" || condition.starts_with("all (test"))
}

/// The file that `#[path = ".."]` names.
fn path_of(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    match &pair.value {
        Expr::Lit(value) if pair.path.is_ident("path") => match &value.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `folder` with a path relative to it.
fn joined(folder: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in relative.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Collects the paths in `tokens`.
fn mentions(tokens: TokenStream, is_part: bool, found: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(_) if !continues(&tokens[..at]) => {
                at = mention(&tokens, at, &[], is_part, found);
            }
            TokenTree::Group(group) => {
                mentions(group.stream(), is_part, found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Whether what follows `before` belongs to something that began there: a path, a field, a lifetime.
fn continues(before: &[TokenTree]) -> bool {
    let is = |token: Option<&TokenTree>, wanted| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
    let (last, before_last) = (before.last(), before.iter().rev().nth(1));
    is(last, '\'')
        || is(last, ':') && is(before_last, ':')
        // A range ends with two points, a field is behind one.
        || is(last, '.') && !is(before_last, '.')
}

/// Collects the path that begins at `at` behind `prefix`, or each one if it ends in braces; gives where
/// the next thing begins.
fn mention(
    tokens: &[TokenTree],
    mut at: usize,
    prefix: &[String],
    is_part: bool,
    found: &mut Vec<Mention>,
) -> usize {
    let is_colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => path.push(ident.unraw().to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for one in inner.split(|token| is_punct(token, ',')) {
                    mention(one, 0, &path, is_part, found);
                }
                return at + 1;
            }
            // Type arguments, or every name of a module.
            _ => break,
        }
        at += 1;
        if !(is_colon(at) && is_colon(at + 1)) {
            break;
        }
        at += 2;
    }
    found.push(Mention { path, is_part });
    at
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}
