//! Answers the requests on standard input, in order, each before the next is read.

use std::io::{self, BufRead as _, Write as _};

fn main() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        // A line that is no UTF-8 is no request: the empty line is none either.
        writeln!(output, "{}", donjon_shim::answer(str::from_utf8(&line).unwrap_or_default()))?;
        output.flush()?;
        line.clear();
    }
    Ok(())
}
