//! The program: reads the command line, does it, and ends with 0 (done), 1 (refused, with the
//! reason) or 2 (wrong usage).

fn main() -> std::process::ExitCode {
    countersign::cli::run()
}
