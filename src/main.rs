//! The program: reads the command line and calls `boot`.

fn main() -> std::process::ExitCode {
    patchbay::boot::cli::main()
}
