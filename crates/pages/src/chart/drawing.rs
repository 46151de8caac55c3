//! One drawing: lines, areas, and words that keep clear of each other.

use std::fmt::Write as _;

use super::words_at::width_of;

/// A width that drawings are made for, in CSS pixels. The stylesheet shows the one that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// A laptop: beside another figure, or alone.
    Wide,
    /// A tablet.
    Middle,
    /// A phone.
    Phone,
    /// A phone with less than 390 pixels.
    Narrow,
    /// Half a sheet of paper.
    Paper,
}

impl Width {
    /// Those of a page on a screen.
    pub(crate) const ALL: [Self; 4] = [Self::Wide, Self::Middle, Self::Phone, Self::Narrow];

    /// The class by which the stylesheet finds it.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Wide => "draw-wide",
            Self::Middle => "draw-middle",
            Self::Phone => "draw-phone",
            Self::Narrow => "draw-narrow",
            Self::Paper => "draw-paper",
        }
    }

    /// Width of a figure that is alone in its row, in pixels.
    pub(crate) const fn whole(self) -> f64 {
        match self {
            Self::Wide => 660.0,
            Self::Middle => 528.0,
            Self::Phone => 358.0,
            Self::Narrow => 288.0,
            Self::Paper => 320.0,
        }
    }

    /// Width of a figure that stands beside another one where there is room, in pixels.
    pub(crate) const fn beside(self) -> f64 {
        match self {
            Self::Wide => 420.0,
            other => other.half(),
        }
    }

    /// Width of one of two equal figures, in pixels.
    pub(crate) const fn half(self) -> f64 {
        match self {
            Self::Wide | Self::Middle => 528.0,
            other => other.whole(),
        }
    }

    /// Whether words have to stand above the drawing, for want of room at its side.
    pub(crate) const fn is_small(self) -> bool {
        !matches!(self, Self::Wide | Self::Middle)
    }
}

/// Where words stand on their line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Part of a label.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    text: String,
    is_strong: bool,
}

/// Words that stand plain.
pub(crate) fn plain(text: impl Into<String>) -> Span {
    Span { text: text.into(), is_strong: false }
}

/// Words that stand out.
pub(crate) fn strong(text: impl Into<String>) -> Span {
    Span { text: text.into(), is_strong: true }
}

/// Words with their place.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) x: f64,
    /// The baseline.
    pub(crate) y: f64,
    pub(crate) anchor: Anchor,
    /// `t` for 13 pixels, `s` for 12, each with `halo` where it stands over lines.
    pub(crate) class: &'static str,
    pub(crate) spans: Vec<Span>,
}

/// A box in which something stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Rect {
    fn touches(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

impl Label {
    pub(crate) const fn new(x: f64, y: f64, spans: Vec<Span>) -> Self {
        Self { x, y, anchor: Anchor::Start, class: "t", spans }
    }

    pub(crate) fn at(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub(crate) fn class(self, class: &'static str) -> Self {
        Self { class, ..self }
    }

    fn size(&self) -> f64 {
        if self.class.starts_with('s') { 12.0 } else { 13.0 }
    }

    /// How wide it is at most, in any of the fonts that a system may have.
    pub(crate) fn width(&self) -> f64 {
        let spans = self.spans.iter().map(|span| {
            let strength = if span.is_strong { 1.06 } else { 1.0 };
            width_of(&span.text) * self.size() * strength
        });
        spans.sum()
    }

    /// The box that it takes.
    pub(crate) fn rect(&self) -> Rect {
        let width = self.width();
        let left = match self.anchor {
            Anchor::Start => self.x,
            Anchor::Middle => self.x - width / 2.0,
            Anchor::End => self.x - width,
        };
        let (top, bottom) = (self.y - self.size(), self.y + self.size() * 0.3);
        Rect { left, top, right: left + width, bottom }
    }
}

/// A drawing under way.
pub(crate) struct Drawing {
    width: f64,
    height: f64,
    class: &'static str,
    body: String,
    /// Words come last, over everything.
    words: String,
    taken: Vec<Rect>,
}

impl Drawing {
    pub(crate) fn new(class: &'static str, width: f64, height: f64) -> Self {
        Self { width, height, class, body: String::new(), words: String::new(), taken: Vec::new() }
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let (from, to) = ((short(from.0), short(from.1)), (short(to.0), short(to.1)));
        self.put(format_args!(
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"></line>",
            from.0, from.1, to.0, to.1
        ));
    }

    pub(crate) fn rect(&mut self, at: Rect, class: &str) {
        let (width, height) = (at.right - at.left, at.bottom - at.top);
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"></rect>",
            short(at.left),
            short(at.top),
            short(width),
            short(height)
        ));
    }

    pub(crate) fn path(&mut self, path: &str, class: &str) {
        self.put(format_args!("<path class=\"{class}\" d=\"{path}\"></path>"));
    }

    /// An area with the hatch of held units.
    pub(crate) fn hatched(&mut self, path: &str) {
        self.put(format_args!("<path class=\"c-track\" d=\"{path}\"></path>"));
        self.put(format_args!("<path fill=\"url(#hatch)\" d=\"{path}\"></path>"));
    }

    pub(crate) fn circle(&mut self, x: f64, y: f64) {
        let (cx, cy) = (short(x), short(y));
        self.put(format_args!(
            "<circle class=\"c-mark\" cx=\"{cx}\" cy=\"{cy}\" r=\"4.5\"></circle>"
        ));
        self.keep_clear(Rect { left: x - 6.0, top: y - 6.0, right: x + 6.0, bottom: y + 6.0 });
    }

    /// Leaves out what is below this height.
    pub(crate) fn end_at(&mut self, height: f64) {
        self.height = self.height.min(height.ceil());
    }

    /// Words keep out of this box.
    pub(crate) fn keep_clear(&mut self, taken: Rect) {
        self.taken.push(taken);
    }

    /// Writes a label if it stands clear of all others and within the drawing; says whether.
    pub(crate) fn label(&mut self, label: &Label) -> bool {
        let at = label.rect();
        let is_inside = at.left >= 0.0
            && at.top >= 0.0
            && at.right <= self.width
            && at.bottom <= self.height + 1.0;
        if !is_inside || self.taken.iter().any(|taken| taken.touches(&at)) {
            return false;
        }
        let anchor = match label.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (x, y) = (short(label.x), short(label.y));
        let mut text = format!("<text class=\"{}\" x=\"{x}\" y=\"{y}\"{anchor}>", label.class);
        for span in &label.spans {
            let said = escaped(&span.text);
            if span.is_strong {
                write!(text, "<tspan class=\"b\">{said}</tspan>")
            } else {
                write!(text, "{said}")
            }
            .expect("memory takes what is written");
        }
        text.push_str("</text>");
        self.words.push_str(&text);
        self.taken.push(at);
        true
    }

    /// Writes the first of several places in which a label stands clear; says whether there was one.
    pub(crate) fn first_of(&mut self, labels: &[Label]) -> bool {
        labels.iter().any(|label| self.label(label))
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        self.body.write_fmt(element).expect("memory takes what is written");
    }

    /// The drawing as a picture that says `finding` to whoever does not see it.
    pub(crate) fn finish(self, finding: &str) -> String {
        let Self { width, height, class, body, words, .. } = self;
        let (width, height) = (short(width), short(height));
        let finding = escaped(finding);
        format!(
            "<svg class=\"draw {class}\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" aria-label=\"{finding}\">{body}{words}</svg>"
        )
    }

    /// The boxes of everything that has to stand clear.
    #[cfg(test)]
    pub(crate) fn boxes(&self) -> &[Rect] {
        &self.taken
    }
}

/// A coordinate with one decimal at most.
pub(crate) fn short(number: f64) -> f64 {
    // Adding zero turns -0 into 0.
    (number * 10.0).round() / 10.0 + 0.0
}

/// Text that is no markup.
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&#39;"),
            c => written.push(c),
        }
    }
    written
}

/// A path along these points.
pub(crate) fn along(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        let mark = if path.is_empty() { 'M' } else { 'L' };
        write!(path, "{mark}{} {}", short(x), short(y)).expect("memory takes what is written");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_would_touch_another_or_leave_the_drawing_is_left_out() {
        let mut drawing = Drawing::new("draw-wide", 100.0, 40.0);
        assert!(drawing.label(&Label::new(4.0, 16.0, vec![plain("half")])));
        assert!(!drawing.label(&Label::new(10.0, 20.0, vec![plain("all")])));
        assert!(!drawing.label(&Label::new(90.0, 36.0, vec![plain("outside")])));
        assert!(!drawing.label(&Label::new(2.0, 36.0, vec![plain("x")]).at(Anchor::End)));
        assert!(drawing.label(&Label::new(98.0, 36.0, vec![strong("all")]).at(Anchor::End)));
        let svg = drawing.finish("a \"finding\" & <more>");
        assert!(svg.contains("aria-label=\"a &quot;finding&quot; &amp; &lt;more&gt;\""), "{svg}");
        assert!(svg.contains(">half</text>") && !svg.contains("outside"), "{svg}");
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!(along([(0.0, 1.06), (12.345, -0.04)]), "M0 1.1L12.3 0");
    }
}
