//! A service of systemd's as its files describe it (systemd.unit(5), systemd.service(5)): the unit file and its drop-ins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{NAME, no_unit};
use crate::failure::Failure;
use crate::root::Root;

/// Where unit files are; the first counts most.
const FOLDERS: [&str; 8] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
    "/run/systemd/generator.early",
];

/// A service.
#[derive(Debug)]
pub struct Unit {
    /// Its own name: an alias stands for another unit.
    pub name: String,
    /// Settings of its `[Service]` part, in the order in which they hold.
    settings: Vec<(String, String)>,
}

impl Unit {
    pub fn find(root: &Root, name: &str) -> Result<Self, Failure> {
        let mut name = full_name(name)?;
        let (file, found) = fragment(root, &name).ok_or_else(|| no_unit(&name))?;
        if found == Path::new("/dev/null") || found.ends_with("dev/null") {
            return Err(Failure::wanting(format!("{name} is masked: it cannot be started (systemctl unmask {name})")));
        }
        // `mysql.service`, a link to `mariadb.service`.
        let target = found.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_template = target.contains("@.");
        if !is_template && target.ends_with(".service") {
            name = target;
        }
        let text = root.read(&file).map_err(|error| Failure::wanting(format!("{}: {error}", file.display())))?;
        let mut settings = settings(&text);
        for drop_in in drop_ins(root, &name) {
            settings.extend(self::settings(&root.read(&drop_in).unwrap_or_default()));
        }
        Ok(Self { name, settings })
    }

    /// Everything that a setting was given, but what came before an empty value: that resets it.
    pub fn values(&self, setting: &str) -> Vec<&str> {
        let mut values = Vec::new();
        for (_, value) in self.settings.iter().filter(|(name, _)| name == setting) {
            if value.is_empty() {
                values.clear();
            } else {
                values.push(&**value);
            }
        }
        values
    }

    pub fn value(&self, setting: &str) -> Option<&str> {
        self.values(setting).pop()
    }

    pub fn is_on(&self, setting: &str) -> bool {
        self.value(setting).is_some_and(|value| ["1", "yes", "true", "on"].contains(&&*value.to_lowercase()))
    }

    /// A variable that the unit sets.
    pub fn variable(&self, name: &str) -> Option<String> {
        let assignments = self.values("Environment").into_iter().flat_map(words);
        assignments.filter_map(|word| Some(word.strip_prefix(name)?.strip_prefix('=')?.to_string())).next_back()
    }

    /// The command lines that it starts: the program, and what it is told. Where a shell starts it, as MariaDB's unit in Debian 13
    /// has it, the program that the shell becomes.
    pub fn commands(&self) -> Vec<Vec<String>> {
        let lines =
            self.values("ExecStart").into_iter().map(|line| words(line.trim_start_matches(['@', '-', ':', '+', '!'])));
        lines.filter(|words| !words.is_empty()).map(|words| becomes(&words).unwrap_or(words)).collect()
    }
}

/// What a shell is told to do: `sh -c SCRIPT`.
pub fn script_of(command: &[String]) -> Option<&str> {
    let [shell, option, script, ..] = command else { return None };
    let name = Path::new(shell).file_name()?.to_str()?;
    (["sh", "bash", "dash"].contains(&name) && option == "-c").then_some(script)
}

/// The command line that a shell's script ends in, by `exec` and the whole path of a program.
fn becomes(command: &[String]) -> Option<Vec<String>> {
    let words = words(script_of(command)?);
    let exec = words.windows(2).rposition(|pair| pair[0] == "exec" && pair[1].starts_with('/'))?;
    Some(words.into_iter().skip(exec + 1).take_while(|word| !word.starts_with([';', '&', '|'])).collect())
}

/// With `.service`, which may be left out. Other kinds of units run no program.
pub fn full_name(name: &str) -> Result<String, Failure> {
    const OTHERS: [&str; 10] =
        [".socket", ".timer", ".mount", ".target", ".path", ".slice", ".scope", ".swap", ".device", ".automount"];
    if name.contains('/') || name.is_empty() {
        return Err(Failure::usage(format!("\"{name}\" is not the name of a unit")));
    }
    if OTHERS.iter().any(|kind| name.ends_with(kind)) {
        return Err(Failure::wanting(format!("{name} is not a service: name the service that it starts")));
    }
    Ok(if name.ends_with(".service") { name.into() } else { format!("{name}.service") })
}

/// `a@.service` of `a@b.service`.
fn template(name: &str) -> Option<String> {
    let (start, _) = name.split_once('@')?;
    Some(format!("{start}@.service"))
}

/// The unit file: by its name in the tree, and where that is after all links.
fn fragment(root: &Root, name: &str) -> Option<(PathBuf, PathBuf)> {
    let names = [Some(name.to_string()), template(name)];
    let mut files = names.into_iter().flatten().flat_map(|name| FOLDERS.map(|folder| Path::new(folder).join(&name)));
    files.find_map(|file| {
        let found = root.find(&file);
        let found = if root.is_own() { found.canonicalize().ok()? } else { found };
        (found.exists() || found.ends_with("dev/null")).then_some((file, found))
    })
}

/// The drop-ins but this command's own, in the order of their names; of two with one name, the one in the first folder.
fn drop_ins(root: &Root, name: &str) -> Vec<PathBuf> {
    let mut found = BTreeMap::new();
    let units = [Some("service".to_string()), template(name), Some(name.to_string())];
    for unit in units.into_iter().flatten() {
        for folder in FOLDERS.iter().rev() {
            for file in root.entries(&Path::new(folder).join(format!("{unit}.d"))) {
                let name = file.file_name().unwrap_or_default().to_os_string();
                if name != NAME && file.extension().is_some_and(|extension| extension == "conf") {
                    found.insert(name, file);
                }
            }
        }
    }
    found.into_values().collect()
}

/// The `[Service]` part of a unit file: a backslash at its end joins a line with the next.
fn settings(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut is_service = false;
    let mut whole = String::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(part) = line.strip_suffix('\\') {
            whole.push_str(part);
            whole.push(' ');
            continue;
        }
        whole.push_str(line);
        let line = std::mem::take(&mut whole);
        if line.starts_with('[') {
            is_service = line == "[Service]";
        } else if let Some((name, value)) = line.split_once('=').filter(|_| is_service) {
            found.push((name.trim().into(), value.trim().into()));
        }
    }
    found
}

/// Words as systemd takes them apart, with quotes (systemd.syntax(7)).
pub fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut is_word) = (Vec::new(), String::new(), None, false);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                word.extend(letters.next());
                is_word = true;
            }
            letter if quote == Some(letter) => quote = None,
            '"' | '\'' if quote.is_none() => {
                quote = Some(letter);
                is_word = true;
            }
            letter if letter.is_whitespace() && quote.is_none() => {
                if is_word {
                    words.push(std::mem::take(&mut word));
                }
                is_word = false;
            }
            letter => {
                word.push(letter);
                is_word = true;
            }
        }
    }
    if is_word {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{Unit, full_name, settings, words};

    fn unit(text: &str) -> Unit {
        Unit { name: "a.service".into(), settings: settings(text) }
    }

    #[test]
    fn names() {
        assert_eq!(full_name("mariadb").unwrap_or_default(), "mariadb.service");
        assert_eq!(full_name("a@b.service").unwrap_or_default(), "a@b.service");
        assert!(full_name("a.socket").is_err() && full_name("a/b").is_err() && full_name("").is_err());
        assert_eq!(super::template("a@b.service").as_deref(), Some("a@.service"));
    }

    #[test]
    fn settings_hold_in_order_and_an_empty_one_resets() {
        let unit = unit(
            "[Unit]\nEnvironment=A=0\n[Service]\n# ExecStart=no\nExecStart=\nExecStart=-/usr/sbin/a \\\n  --option\n\
             Environment=A=1 \"B=x y\"\nEnvironment=A=2\nNoNewPrivileges=yes\n",
        );
        assert_eq!(unit.commands(), [["/usr/sbin/a", "--option"]]);
        assert_eq!(unit.variable("A").as_deref(), Some("2"));
        assert_eq!(unit.variable("B").as_deref(), Some("x y"));
        assert_eq!(unit.variable("C"), None);
        assert!(unit.is_on("NoNewPrivileges") && !unit.is_on("PrivateTmp"));
    }

    #[test]
    fn a_shell_becomes_a_program() {
        let unit = unit(
            "[Service]\nExecStart=/bin/sh -c \"set -f; [ -e /a ] || \\\n  V=`/b`; exec /usr/sbin/d $O --e\"\nExecStart=/bin/sh -c 'a | b'\n",
        );
        assert_eq!(unit.commands(), [vec!["/usr/sbin/d", "$O", "--e"], vec!["/bin/sh", "-c", "a | b"]]);
        assert!(super::script_of(&unit.commands()[0]).is_none() && super::script_of(&unit.commands()[1]).is_some());
    }

    #[test]
    fn words_may_be_quoted() {
        assert_eq!(words(r#"a "b c" 'd"e' f\ g"#), ["a", "b c", "d\"e", "f g"]);
        assert!(words("  ").is_empty());
    }
}
