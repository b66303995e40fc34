//! What a MariaDB or MySQL server is told: by its command line, where it runs, and by its option files.

use std::path::Path;

use crate::root::Root;

/// Where the server looks first; other files are included from there.
const FILES: [&str; 2] = ["/etc/my.cnf", "/etc/mysql/my.cnf"];
/// The parts of these files that are the server's; those with a version behind them (`mariadb-11.8`) as well.
const GROUPS: [&str; 5] = ["mysqld", "mariadbd", "mariadb", "server", "galera"];
/// Files that include each other.
const MOST_FILES: usize = 100;

/// The value of an option, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub value: String,
    pub place: String,
}

/// What holds for the option `name`, which is written with underscores. Of several values the last one holds; the command line
/// comes after the files.
pub fn find(name: &str, arguments: &[String], root: &Root) -> Option<Setting> {
    let argument = |wanted: &str| arguments.iter().find_map(|argument| argument.strip_prefix(wanted));
    let only = argument("--defaults-file=");
    let extra = argument("--defaults-extra-file=");
    let files: Vec<&str> = match only {
        _ if arguments.iter().any(|argument| argument == "--no-defaults") => Vec::new(),
        Some(file) => vec![file],
        None => FILES.into_iter().chain(extra).collect(),
    };
    let mut reader = Reader { name, root, read: 0, found: None };
    for file in files {
        reader.file(Path::new(file));
    }
    let mut found = reader.found;
    for (at, argument) in arguments.iter().enumerate() {
        let Some(option) = argument.strip_prefix("--") else { continue };
        let Some(mut value) = value(option, name) else { continue };
        if !option.contains('=') && value.is_empty() {
            // The value may be an argument of its own.
            value = arguments.get(at + 1).filter(|next| !next.starts_with('-')).cloned().unwrap_or_default();
        }
        found = Some(Setting { value, place: "its command line".into() });
    }
    found
}

struct Reader<'a> {
    name: &'a str,
    root: &'a Root,
    read: usize,
    found: Option<Setting>,
}

impl Reader<'_> {
    fn file(&mut self, file: &Path) {
        self.read += 1;
        let Ok(text) = self.root.read(file) else { return };
        if self.read > MOST_FILES {
            return;
        }
        let mut is_servers = false;
        for line in text.lines().map(str::trim) {
            if let Some(folder) = line.strip_prefix("!includedir") {
                for file in self.root.entries(Path::new(folder.trim())) {
                    if file.extension().is_some_and(|extension| extension == "cnf" || extension == "ini") {
                        self.file(&file);
                    }
                }
            } else if let Some(file) = line.strip_prefix("!include") {
                self.file(Path::new(file.trim()));
            } else if let Some(group) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
                is_servers = GROUPS.contains(&group.split('-').next().unwrap_or_default());
            } else if let Some(value) = value(line, self.name).filter(|_| is_servers) {
                self.found = Some(Setting { value, place: file.display().to_string() });
            }
        }
    }
}

/// The value that a line gives the option `name`, if it is about it: empty for the name alone, `0` behind `skip`.
fn value(line: &str, name: &str) -> Option<String> {
    let (left, right) = match line.split_once('=') {
        Some((left, right)) => (left, Some(right)),
        None => (line, None),
    };
    let left = left.trim().replace('-', "_").to_lowercase();
    let left = left.strip_prefix("loose_").unwrap_or(&left);
    if left == name {
        let plain =
            |right: &str| right.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']).to_lowercase();
        return Some(right.map(plain).unwrap_or_default());
    }
    (left.strip_prefix("skip_") == Some(name)).then(|| "0".into())
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test")]
mod tests {
    use super::{find, value};
    use crate::root::Root;
    use std::fs;

    #[test]
    fn a_line_gives_an_option_a_value() {
        let name = "innodb_linux_aio";
        assert_eq!(value("innodb-linux-aio = aio # why", name), Some("aio".into()));
        assert_eq!(value("loose_innodb_linux_aio=\"AIO\"", name), Some("aio".into()));
        assert_eq!(value("innodb_linux_aio", name), Some(String::new()));
        assert_eq!(value("skip-innodb-linux-aio", name), Some("0".into()));
        assert_eq!(value("innodb_linux_aio_other=1", name), None);
        assert_eq!(value("# innodb_linux_aio=aio", name), None);
    }

    #[test]
    fn the_last_value_holds() {
        let folder = std::env::temp_dir().join(format!("uringaio-options-{}", std::process::id()));
        fs::create_dir_all(folder.join("etc/mysql/conf.d")).expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
        write("etc/mysql/my.cnf", "[client]\ninnodb_linux_aio=io_uring\n!includedir /etc/mysql/conf.d\n");
        write("etc/mysql/conf.d/1.cnf", "[mariadb-11.8]\ninnodb_linux_aio=auto\n");
        write("etc/mysql/conf.d/2.cnf", "[mysqld]\ninnodb_linux_aio=aio\n[mysqldump]\ninnodb_linux_aio=auto\n");
        let root = Root::at(&folder);
        let found = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            find("innodb_linux_aio", &arguments, &root).map(|setting| (setting.value, setting.place))
        };
        assert_eq!(found(&[]), Some(("aio".into(), "/etc/mysql/conf.d/2.cnf".into())));
        assert_eq!(found(&["--innodb-linux-aio", "auto"]), Some(("auto".into(), "its command line".into())));
        assert_eq!(found(&["--no-defaults"]), None);
        assert_eq!(found(&["--defaults-file=/etc/mysql/conf.d/1.cnf"]).expect("it is told").0, "auto");
        fs::remove_dir_all(&folder).expect("it was made here");
    }
}
