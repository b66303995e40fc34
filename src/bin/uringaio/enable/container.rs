//! What a container image, or the one who starts it, needs for its program to run on the library.

use std::path::Path;

use crate::sandbox::{PROFILE, shared_file};

/// Where the library is inside.
const INSIDE: &str = "/usr/local/lib/liburingaio.so.1";

/// Lines for a Dockerfile, and the same for compose. `library` is this machine's.
pub fn lines(library: &Path, raw: bool) -> String {
    let (library, profile) = (library.display(), shared_file(PROFILE));
    let raw_line = |line: &str| if raw { line.to_string() } else { String::new() };
    format!(
        "# Dockerfile of an image with glibc (not of Alpine), with the library copied beside it:\n\
         #     cp {library} liburingaio.so.1\n\
         COPY liburingaio.so.1 {INSIDE}\n\
         ENV LD_PRELOAD={INSIDE}\n{}\
         \n\
         # or compose.yaml, with the image as it is and the library of this machine\n\
         services:\n\
         \x20 SERVICE:\n\
         \x20   environment:\n\
         \x20     LD_PRELOAD: {INSIDE}\n{}\
         \x20   volumes:\n\
         \x20     - {library}:{INSIDE}:ro\n\
         \x20   ulimits:\n\
         \x20     memlock: 67108864\n\
         \x20   security_opt:\n\
         \x20     - seccomp={profile}\n\
         \n\
         # The profile allows io_uring, which the default of Docker and Podman forbids; without it threads serve.\n\
         # The same by docker run, or podman run:\n\
         #     docker run -e LD_PRELOAD={INSIDE}{} \\\n\
         #         -v {library}:{INSIDE}:ro \\\n\
         #         --ulimit memlock=67108864 \\\n\
         #         --security-opt seccomp={profile} IMAGE\n\
         # Then see whether the program is served: uringaio doctor PID on the host, with the process's number there\n",
        raw_line("ENV URINGAIO_RAW=1\n"),
        raw_line("      URINGAIO_RAW: \"1\"\n"),
        if raw { " -e URINGAIO_RAW=1" } else { "" },
    )
}
