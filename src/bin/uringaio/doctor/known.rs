//! Programs whose own settings decide which interface they use: what theirs are, and what to set.

use std::path::Path;

use super::option_files::{self, Setting};
use super::report::{Effect, Finding};
use crate::elf::Image;
use crate::root::Root;

/// What is known of a program that is asked about.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// The file that runs, as this command can open it.
    pub image: &'a Path,
    pub uses_io_uring: bool,
    /// It calls libaio.
    pub calls_libaio: bool,
    pub calls_aio_by_number: bool,
    /// The command line of a process; of a program, nothing.
    pub arguments: Option<&'a [String]>,
    /// Where its configuration is.
    pub root: &'a Root,
}

/// What follows for it.
#[derive(Debug)]
pub struct Known {
    pub finding: Finding,
    /// What running it on uringaio changes, where its settings say more about that than its file.
    pub effect: Option<Effect>,
}

/// A program by the beginning of its file's name, and what to say of it.
type Row = (&'static [&'static str], fn(&Candidate) -> Known);

const PROGRAMS: [Row; 6] = [
    (&["mariadbd", "mysqld"], mariadb),
    (&["qemu-system-", "qemu-img", "qemu-io", "qemu-nbd", "qemu-storage-daemon", "qemu-kvm"], qemu),
    (&["postgres"], postgresql),
    (&["nginx"], nginx),
    (&["fio"], fio),
    (&["python", "perl", "ruby", "node", "java"], interpreter),
];

/// What is known of the program with this file name.
pub fn look(name: &str, candidate: &Candidate) -> Option<Known> {
    let (_, say) = PROGRAMS.iter().find(|(names, _)| names.iter().any(|start| name.starts_with(start)))?;
    Some(say(candidate))
}

impl Candidate<'_> {
    fn mentions(&self, text: &[u8]) -> bool {
        Image::open(self.image).is_ok_and(|image| image.mentions(text))
    }

    fn option(&self, name: &str) -> Option<Setting> {
        option_files::find(name, self.arguments.unwrap_or_default(), self.root)
    }

    fn says(&self, text: &str) -> bool {
        self.arguments.unwrap_or_default().iter().any(|argument| argument.contains(text))
    }
}

const LINUX_AIO: &str = "innodb_linux_aio";
/// The same among the strings of a server that has it: without the engine's name (MariaDB's MDEV-36234).
const LINUX_AIO_INSIDE: &[u8] = b"\0linux_aio\0";

fn mariadb(server: &Candidate) -> Known {
    let off = |setting: &Setting| ["0", "off", "false"].contains(&setting.value.as_str());
    if let Some(setting) = server.option("innodb_use_native_aio").filter(off) {
        let title = format!("The server is told to use no AIO: innodb_use_native_aio=0 in {}", setting.place);
        return Known { finding: note(title, "", &[]), effect: Some(Effect::Setting) };
    }
    if !server.uses_io_uring {
        let title = "The server uses libaio where innodb_use_native_aio is on, which is the default";
        return Known { finding: note(title, "", &[]), effect: None };
    }
    if !server.calls_libaio || !server.mentions(LINUX_AIO_INSIDE) {
        let title = "This server uses io_uring by itself, and has no setting that makes it use libaio";
        let detail = "Other builds of MariaDB have innodb_linux_aio.";
        return Known { finding: note(title, detail, &[]), effect: Some(Effect::None) };
    }
    match server.option(LINUX_AIO) {
        Some(Setting { value, place }) if value == "aio" => {
            let title = format!("The server is told to use libaio: innodb_linux_aio=aio in {place}");
            Known { finding: Finding::good(ID, title, ""), effect: Some(Effect::Served) }
        }
        told => {
            let why = match told {
                Some(Setting { value, place }) => format!("{place} says innodb_linux_aio={value}."),
                None => "As it comes, innodb_linux_aio is auto.".into(),
            };
            let detail = format!(
                "{why} Running it on uringaio then changes nothing, unless io_uring is forbidden to it: its log says \"Using \
                 io_uring\". With innodb_linux_aio=aio it uses libaio, which uringaio serves. Expect little from that for files \
                 with O_DIRECT, InnoDB's default: io_uring and the kernel's AIO are about as fast there."
            );
            let remedy = ["# in the server's configuration", "[mariadbd]", "innodb_linux_aio=aio"];
            Known {
                finding: note("MariaDB uses io_uring by itself, unless innodb_linux_aio=aio is set", detail, &remedy),
                effect: Some(Effect::Setting),
            }
        }
    }
}

fn qemu(emulator: &Candidate) -> Known {
    let [native, ring, threads] = ["native", "io_uring", "threads"].map(|way| {
        let option = format!("aio={way}");
        // As `-drive …,aio=native` and as `-blockdev` in JSON.
        emulator.says(&option)
            || emulator.says(&format!("\"aio\":\"{way}\""))
            || emulator.says(&format!("\"aio\": \"{way}\""))
    });
    let (title, effect) = match emulator.arguments {
        Some(_) if native => ("Its command line says aio=native: QEMU uses libaio", Some(Effect::Served)),
        Some(_) if ring => ("Its command line says aio=io_uring: QEMU uses io_uring by itself", Some(Effect::Setting)),
        Some(_) if threads => ("Its command line says aio=threads: QEMU uses neither interface", Some(Effect::Setting)),
        _ => ("QEMU uses libaio for drives with aio=native, which needs cache.direct=on", None),
    };
    let detail =
        "With aio=threads, the default, it uses neither interface; with aio=io_uring it uses io_uring by itself.";
    let remedy =
        ["# of qemu-system: -drive file=...,cache.direct=on,aio=native", "# of qemu-img: -n -t none (or -i native)"];
    let finding =
        if effect == Some(Effect::Served) { Finding::good(ID, title, "") } else { note(title, detail, &remedy) };
    Known { finding, effect }
}

fn postgresql(server: &Candidate) -> Known {
    let detail = if server.mentions(b"io_method") {
        "It has the setting io_method: worker, its default, uses processes of its own, and io_uring uses io_uring by itself."
    } else {
        "This version reads and writes by plain system calls; from version 18 on io_method=io_uring makes it use io_uring by itself."
    };
    Known {
        finding: note("PostgreSQL uses neither POSIX AIO nor libaio, whatever is set", detail, &[]),
        effect: Some(Effect::None),
    }
}

fn nginx(server: &Candidate) -> Known {
    let finding = if server.calls_aio_by_number {
        note(
            "nginx uses the kernel's AIO by system call number, for files that aio and directio cover",
            "It is served with URINGAIO_RAW=1 in its environment.",
            &["# in nginx.conf", "env LD_PRELOAD;", "env URINGAIO_RAW;", "aio on;", "directio 4k;"],
        )
    } else {
        note("This nginx was built without file AIO (--with-file-aio)", "", &[])
    };
    Known { finding, effect: None }
}

fn fio(job: &Candidate) -> Known {
    let detail = "Other engines, such as io_uring and psync, use neither interface.";
    let finding = note("fio: --ioengine=libaio and --ioengine=posixaio are served", detail, &[]);
    // A process: by what it was told; options may stand in a job file as well.
    let effect = match job.arguments {
        Some(_) if job.says("ioengine=libaio") || job.says("ioengine=posixaio") => Some(Effect::Served),
        Some(_) if job.says("ioengine=") => Some(Effect::Setting),
        _ => None,
    };
    Known { finding, effect }
}

fn interpreter(_: &Candidate) -> Known {
    let finding = note(
        "This is an interpreter: what it loads decides",
        "Name the extension or library itself to see what it uses.",
        &["uringaio doctor /path/to/EXTENSION.so"],
    );
    Known { finding, effect: None }
}

const ID: &str = "known_program";

fn note(title: impl Into<String>, detail: impl Into<String>, remedy: &[&str]) -> Finding {
    Finding::note(ID, title, detail).with_remedy(remedy.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::super::report::Effect;
    use super::{Candidate, look};
    use crate::root::Root;
    use std::path::Path;

    fn say(
        name: &str,
        uses_io_uring: bool,
        calls_aio_by_number: bool,
        arguments: Option<&[&str]>,
    ) -> (String, Option<Effect>) {
        let arguments: Option<Vec<String>> = arguments.map(|list| list.iter().map(ToString::to_string).collect());
        let candidate = Candidate {
            image: Path::new("/nowhere"),
            uses_io_uring,
            calls_libaio: true,
            calls_aio_by_number,
            arguments: arguments.as_deref(),
            root: &Root::at("/nowhere"),
        };
        look(name, &candidate).map_or_else(Default::default, |known| (known.finding.title, known.effect))
    }

    #[test]
    fn builds_are_told_apart_by_what_they_call() {
        assert!(say("mariadbd", true, false, None).0.contains("has no setting"));
        assert!(say("mariadbd", false, false, None).0.contains("innodb_use_native_aio"));
        assert_eq!(say("mariadbd", false, false, Some(&["--skip-innodb-use-native-aio"])).1, Some(Effect::Setting));
        assert!(say("nginx", false, true, None).0.contains("by system call number"));
        assert!(say("nginx", false, false, None).0.contains("without file AIO"));
        assert_eq!(say("no-such-program", true, true, None), (String::new(), None));
    }

    #[test]
    fn what_a_process_was_told_decides() {
        assert_eq!(say("qemu-system-x86_64", true, false, None).1, None);
        let drive =
            |way: &str| say("qemu-system-x86_64", true, false, Some(&["-drive", &format!("file=a,aio={way}")])).1;
        assert_eq!(drive("native"), Some(Effect::Served));
        assert_eq!(drive("io_uring"), Some(Effect::Setting));
        let node = ["-blockdev", r#"{"driver":"file","aio":"native"}"#];
        assert_eq!(say("qemu-system-x86_64", true, false, Some(&node)).1, Some(Effect::Served));
        assert_eq!(say("fio", true, false, Some(&["fio", "--ioengine=psync"])).1, Some(Effect::Setting));
    }
}
