//! Everything that pages draw as SVG, so that one place decides how a figure looks.
//!
//! A drawing is made for the width in which it stands and is never scaled by the browser; colours are classes of the
//! stylesheet, for the policy of pages allows no style in a tag. Words are kept apart: a label that would touch
//! another one, or leave the drawing, is left out.

mod axis;
mod curve;
mod drawing;
mod flow;
pub(crate) mod live;
mod paid;
mod scale;
mod viewers;
mod words_at;

pub(crate) use self::{
    curve::{Curve, Mark},
    drawing::Width,
    flow::Flow,
    paid::{Gap, Moment, Paid},
    viewers::Viewers,
};

/// The same figure for every width that the page may have.
pub(crate) fn each_width(draw: impl Fn(Width) -> String) -> String {
    Width::ALL.map(draw).concat()
}
