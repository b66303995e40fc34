//! Imports point down only: no file of `src` uses one on a floor above its own, and no files use each other in a circle.
//!
//! The paths of every file are read (`use` and paths in the code, not comments or tests) and resolved to the file that has
//! the item, through re-exports. The command under `src/bin` is a program of its own and is not looked at.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The floors, from the ground up. Modules on one floor do not use each other.
const FLOORS: &[&[&str]] = &[
    &["host", "symbol_versions"],
    &["c_boundary"],
    &["stats"],
    &["engine"],
    &["submission"],
    &["interpose"],
    &["posix", "libaio"],
    &["exit", "public_api", "fuzz"],
];

/// A path as it is written in a module: its segments, and where.
#[derive(Clone, Debug)]
struct Written {
    segments: Vec<String>,
    line: usize,
}

/// A module: a file, or a part of one in braces.
#[derive(Default)]
struct Module {
    file: String,
    children: BTreeSet<String>,
    /// Names that `use` brings in, and what they stand for.
    imports: BTreeMap<String, Written>,
    globs: Vec<Written>,
    paths: Vec<Written>,
}

/// Modules by their paths from the root.
type Modules = BTreeMap<Vec<String>, Module>;

#[test]
fn imports_point_down_and_in_no_circle() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let modules = read_modules(&source);
    let imports = resolve_all(&modules);
    let mut faults = String::new();
    for (from, to) in imports.keys() {
        if floor(from) < floor(to) || (floor(from) == floor(to) && top(from) != top(to)) {
            let _ =
                writeln!(faults, "{from}:{} uses {to}, which is not below it", imports[&(from.clone(), to.clone())]);
        }
    }
    for circle in circles(imports.keys().map(|(from, to)| (from.as_str(), to.as_str()))) {
        let _ = writeln!(faults, "these files use each other in a circle:");
        for ((from, to), line) in &imports {
            if circle.contains(from.as_str()) && circle.contains(to.as_str()) {
                let _ = writeln!(faults, "    {from}:{line} uses {to}");
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// The first folder or file of a path below `src`.
fn top(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

/// The floor of a file; the root of the library is above all.
fn floor(file: &str) -> usize {
    let top = top(file);
    if top == "lib" {
        return FLOORS.len();
    }
    FLOORS.iter().position(|floor| floor.contains(&top)).unwrap_or_else(|| panic!("src/{file} is on no floor"))
}

// --- Reading ----------------------------------------------------------------------------------------------------------

fn read_modules(source: &Path) -> Modules {
    let mut modules = Modules::new();
    let mut to_read = vec![(Vec::new(), source.join("lib.rs"))];
    while let Some((path, file)) = to_read.pop() {
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.strip_prefix(source).expect("below src").display().to_string();
        let tokens = tokens(&text);
        let mut reader = Reader { tokens: &tokens, at: 0, file: name, modules: &mut modules, found: Vec::new() };
        reader.read_items(&path);
        for child in reader.found {
            let inner: PathBuf = child.iter().collect();
            let candidates = [source.join(&inner).with_extension("rs"), source.join(&inner).join("mod.rs")];
            let file = candidates.into_iter().find(|file| file.exists()).unwrap_or_else(|| panic!("no {child:?}"));
            to_read.push((child, file));
        }
    }
    modules
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is_name(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

/// Names, `::`, and all other characters one by one; no comments, no strings.
fn tokens(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let at = |index: usize| characters.get(index).copied().unwrap_or('\0');
    let (mut tokens, mut index, mut line) = (Vec::new(), 0, 1);
    while index < characters.len() {
        let (start, first) = (index, at(index));
        if first == '/' && at(index + 1) == '/' {
            while index < characters.len() && at(index) != '\n' {
                index += 1;
            }
        } else if first == '/' && at(index + 1) == '*' {
            index += 2;
            while index < characters.len() && !(at(index) == '*' && at(index + 1) == '/') {
                index += 1;
            }
            index += 2;
        } else if first == '"' {
            index += 1;
            while index < characters.len() && at(index) != '"' {
                index += if at(index) == '\\' { 2 } else { 1 };
            }
            index += 1;
        } else if first == '\'' && (at(index + 1) == '\\' || at(index + 2) == '\'') {
            index += if at(index + 1) == '\\' { 3 } else { 2 };
            while index < characters.len() && at(index) != '\'' {
                index += 1;
            }
            index += 1;
        } else if first.is_alphanumeric() || first == '_' {
            while at(index).is_alphanumeric() || at(index) == '_' {
                index += 1;
            }
            tokens.push(Token { text: characters[start..index].iter().collect(), line });
        } else if first == ':' && at(index + 1) == ':' {
            index += 2;
            tokens.push(Token { text: "::".into(), line });
        } else {
            index += 1;
            if !first.is_whitespace() {
                tokens.push(Token { text: first.into(), line });
            }
        }
        line += characters[start..index.min(characters.len())].iter().filter(|&&character| character == '\n').count();
    }
    tokens
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    file: String,
    modules: &'a mut Modules,
    /// Modules that are files of their own.
    found: Vec<Vec<String>>,
}

impl Reader<'_> {
    fn text(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| &token.text)
    }

    /// Reads a module up to its closing brace.
    fn read_items(&mut self, path: &[String]) {
        let mut module = Module { file: self.file.clone(), ..Module::default() };
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.text(0) {
                "#" => self.attribute(),
                "{" => {
                    depth += 1;
                    self.at += 1;
                }
                "}" if depth == 0 => break,
                "}" => {
                    depth -= 1;
                    self.at += 1;
                }
                "mod" if self.text(2) == ";" || self.text(2) == "{" => {
                    let name = self.text(1).to_owned();
                    let child = [path, std::slice::from_ref(&name)].concat();
                    let is_file = self.text(2) == ";";
                    self.at += 3;
                    if is_file {
                        self.found.push(child);
                    } else {
                        self.read_items(&child);
                        self.at += 1;
                    }
                    module.children.insert(name);
                }
                "use" => {
                    self.at += 1;
                    self.use_tree(&[], &mut module);
                }
                _ => self.path(&mut module),
            }
        }
        self.modules.insert(path.to_vec(), module);
    }

    /// Passes over an attribute; over the item behind it as well, if that is for tests alone.
    fn attribute(&mut self) {
        let start = self.at;
        self.at += if self.text(1) == "!" { 2 } else { 1 };
        self.skip_group();
        let words: String = self.tokens[start..self.at].iter().map(|token| token.text.as_str()).collect();
        if words != "#[cfg(test)]" && words != "#[cfg(loom)]" {
            return;
        }
        let is_use = self.text(0) == "use" || self.text(1) == "use";
        while self.at < self.tokens.len() {
            match self.text(0) {
                ";" => {
                    self.at += 1;
                    return;
                }
                "{" if !is_use => return self.skip_group(),
                "(" | "[" | "{" => self.skip_group(),
                _ => self.at += 1,
            }
        }
    }

    /// Passes over what stands in brackets.
    fn skip_group(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.text(0) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    fn use_tree(&mut self, before: &[String], module: &mut Module) {
        let mut segments = before.to_vec();
        let line = self.tokens[self.at].line;
        loop {
            match self.text(0) {
                "{" => {
                    self.at += 1;
                    while self.text(0) != "}" {
                        self.use_tree(&segments, module);
                        if self.text(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "*" => {
                    self.at += 1;
                    module.globs.push(Written { segments, line });
                    return;
                }
                "::" => self.at += 1,
                "as" => {
                    let name = self.text(1).to_owned();
                    self.at += 2;
                    module.imports.insert(name, Written { segments, line });
                    return;
                }
                _ if self.tokens[self.at].is_name() => {
                    segments.push(self.text(0).to_owned());
                    self.at += 1;
                }
                _ => {
                    if segments.last().is_some_and(|last| last == "self") {
                        segments.pop();
                    }
                    let name = segments.last().expect("a name").clone();
                    module.imports.insert(name, Written { segments, line });
                    return;
                }
            }
        }
    }

    /// A path of at least two segments, or something else.
    fn path(&mut self, module: &mut Module) {
        let token = &self.tokens[self.at];
        let line = token.line;
        let is_first = token.is_name() && (self.at == 0 || self.tokens[self.at - 1].text != "::");
        self.at += 1;
        if !is_first {
            return;
        }
        let mut segments = vec![token.text.clone()];
        while self.text(0) == "::" && self.tokens.get(self.at + 1).is_some_and(Token::is_name) {
            segments.push(self.text(1).to_owned());
            self.at += 2;
        }
        if segments.len() > 1 {
            module.paths.push(Written { segments, line });
        }
    }
}

// --- Resolving --------------------------------------------------------------------------------------------------------

/// Which file uses which, and in which line first.
fn resolve_all(modules: &Modules) -> BTreeMap<(String, String), usize> {
    let mut imports = BTreeMap::new();
    for (path, module) in modules {
        for written in module.imports.values().chain(&module.globs).chain(&module.paths) {
            let Some(target) = resolve(modules, path, &written.segments, 0) else { continue };
            // A module's name alone uses nothing of it, but for a glob.
            let is_glob = module.globs.iter().any(|glob| glob.segments == written.segments);
            if target.item.is_none() && !is_glob {
                continue;
            }
            let file = &modules[&target.module].file;
            if *file != module.file {
                imports.entry((module.file.clone(), file.clone())).or_insert(written.line);
            }
        }
    }
    imports
}

/// A module, or an item of one.
struct Target {
    module: Vec<String>,
    item: Option<String>,
}

/// What a path stands for in a module; nothing for one that leads out of the library.
fn resolve(modules: &Modules, from: &[String], segments: &[String], depth: usize) -> Option<Target> {
    if depth > 16 {
        return None;
    }
    let mut module = from.to_vec();
    let mut rest = segments;
    let mut is_start = true;
    while let Some((first, others)) = rest.split_first() {
        match first.as_str() {
            "crate" if is_start => module.clear(),
            "super" => {
                module.pop()?;
            }
            "self" => {}
            name => {
                let here = &modules[&module];
                let is_own = here.imports.get(name).is_some_and(|import| import.segments == [name]);
                if here.children.contains(name) {
                    module.push(name.to_owned());
                    if !modules.contains_key(&module) {
                        return None;
                    }
                } else if let Some(import) = here.imports.get(name).filter(|_| !is_own) {
                    let target = resolve(modules, &module, &import.segments, depth + 1)?;
                    if target.item.is_some() {
                        return Some(target);
                    }
                    module = target.module;
                } else if is_start && !is_own {
                    // A crate, a type, or something of the module's own.
                    return None;
                } else {
                    return Some(Target { module, item: Some(name.to_owned()) });
                }
            }
        }
        is_start = false;
        rest = others;
    }
    Some(Target { module, item: None })
}

// --- Circles ----------------------------------------------------------------------------------------------------------

/// Sets of files that can all be reached from one another.
fn circles<'a>(imports: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<BTreeSet<&'a str>> {
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in imports {
        uses.entry(from).or_default().insert(to);
    }
    let reached_from = |start: &'a str| {
        let (mut reached, mut to_visit) = (BTreeSet::new(), vec![start]);
        while let Some(file) = to_visit.pop() {
            to_visit.extend(uses.get(file).into_iter().flatten().filter(|&&next| reached.insert(next)));
        }
        reached
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> = uses.keys().map(|&file| (file, reached_from(file))).collect();
    let mut circles: Vec<BTreeSet<&str>> = Vec::new();
    for (&file, from_here) in &reached {
        let is_known = circles.iter().any(|circle| circle.contains(file));
        if from_here.contains(file) && !is_known {
            let comes_back = |other: &&&str| reached.get(**other).is_some_and(|from_there| from_there.contains(file));
            circles.push(from_here.iter().filter(comes_back).copied().collect());
        }
    }
    circles
}

#[test]
fn paths_are_read_as_the_compiler_reads_them() {
    let read = |text: &str| {
        let (tokens, mut modules) = (tokens(text), Modules::new());
        Reader { tokens: &tokens, at: 0, file: "a.rs".into(), modules: &mut modules, found: Vec::new() }
            .read_items(&[]);
        let module = modules.remove(&Vec::new()).expect("it was read");
        let joined = |written: &Written| written.segments.join("::");
        (module.imports.values().map(joined).collect::<Vec<_>>(), module.paths.iter().map(joined).collect::<Vec<_>>())
    };
    let (imports, paths) = read(
        "use a::{self, b::{c, d as e}}; // use x::y;
         #[cfg(test)] mod tests { use super::z; }
         fn f<'a>(of: &'a g::H) -> char { let text = \"i::j\"; crate::k::l(of); '\\'' }",
    );
    assert_eq!(imports, ["a", "a::b::c", "a::b::d"]);
    assert_eq!(paths, ["g::H", "crate::k::l"]);
}

#[test]
fn circles_are_found() {
    let imports = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "a")];
    assert_eq!(circles(imports.into_iter()), [BTreeSet::from(["b", "c"])]);
}
