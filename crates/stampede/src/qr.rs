//! QR codes for terminals.

use qrcode::{Color, EcLevel, QrCode};

/// Modules without ink around a code, so that cameras find it.
const QUIET: usize = 4;
/// Black on white, whatever the terminal's own colours are.
const PAPER: &str = "\u{1b}[30;107m";
/// Back to the terminal's own.
const PLAIN: &str = "\u{1b}[0m";

/// The text as a QR code: each character is two modules, one above the other, ink is dark. `colours` are
/// for terminals alone.
pub(crate) fn drawn(text: &str, colours: bool) -> String {
    let code = QrCode::with_error_correction_level(text, EcLevel::M);
    let code = code.expect("a link has fewer than 2,000 bytes");
    let (width, modules) = (code.width(), code.to_colors());
    let side = width + 2 * QUIET;
    let is_dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < width);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => modules[y * width + x] == Color::Dark,
            _ => false,
        }
    };
    let mut lines = Vec::new();
    for y in (0..side).step_by(2) {
        let line = (0..side).map(|x| match (is_dark(x, y), is_dark(x, y + 1)) {
            (true, true) => '\u{2588}',
            (true, false) => '\u{2580}',
            (false, true) => '\u{2584}',
            (false, false) => ' ',
        });
        let line: String = line.collect();
        lines.push(if colours { format!("{PAPER}{line}{PLAIN}") } else { line });
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads what a camera would see of a terminal.
    fn read(drawn: &str) -> String {
        let rows: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        let (wide, high, scale) = (rows[0].len(), rows.len() * 2, 4);
        let dark = |x: usize, y: usize| match rows[y / 2][x] {
            '\u{2588}' => true,
            '\u{2580}' => y.is_multiple_of(2),
            '\u{2584}' => !y.is_multiple_of(2),
            _ => false,
        };
        let pixel = |x: usize, y: usize| if dark(x / scale, y / scale) { 0 } else { 255 };
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(wide * scale, high * scale, pixel);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "{drawn}");
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_camera_reads_what_was_drawn() {
        for text in ["https://sale.example", &format!("https://sale.example/join/sti_{:064x}", 7)] {
            assert_eq!(read(&drawn(text, false)), text);
            let coloured = drawn(text, true).replace(PAPER, "").replace(PLAIN, "");
            assert_eq!(coloured, drawn(text, false));
        }
    }
}
