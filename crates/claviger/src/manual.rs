//! `claviger completions` and `claviger man`: what shells and man(1) are told, from the definition of the
//! arguments itself.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::{Failure, Outcome};
use crate::output;

/// A shell to write completions for.
#[derive(Args, Debug)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Where to write manual pages.
#[derive(Args, Debug)]
pub(crate) struct ManArguments {
    /// The directory, made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Prints the completions of a shell.
pub(crate) fn completions(arguments: &CompletionsArguments, mut command: Command) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "claviger", &mut script);
    output::print_bytes(&script)
}

/// Writes a page for each command.
pub(crate) fn man(arguments: &ManArguments, mut command: Command) -> Outcome {
    let directory = &arguments.directory;
    fs::create_dir_all(directory).map_err(|error| Failure::file(directory, &error))?;
    command.build();
    pages(arguments, &command)
}

fn pages(arguments: &ManArguments, command: &Command) -> Outcome {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let path = arguments.directory.join(format!("{name}.1"));
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command.clone()).title(&name).render(&mut page);
    let written = rendered.and_then(|()| fs::File::create(&path)?.write_all(&page));
    written.map_err(|error| Failure::file(&path, &error))?;
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    below.into_iter().try_for_each(|below| pages(arguments, below))
}
