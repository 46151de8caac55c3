//! Drawings of goods that come with the server, for shows that have no pictures of their own.

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    answers::{Goods, Money},
    numbers::money,
    words::Language,
};

/// Where they are found.
const FOLDER: &str = "/goods/";

/// What stands for goods without a drawing: a symbol of the page.
const PLAIN: &str = "#i-goods";

/// Long enough for a show, short enough that a mended one is seen.
const FRESH: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// Each drawing is one symbol in the colour of the text around it.
const DRAWINGS: [(&str, &str); 5] = [
    ("candle", include_str!("../assets/goods/candle.svg")),
    ("cream", include_str!("../assets/goods/cream.svg")),
    ("diffuser", include_str!("../assets/goods/diffuser.svg")),
    ("gift", include_str!("../assets/goods/gift.svg")),
    ("perfume", include_str!("../assets/goods/perfume.svg")),
];

/// What `use` draws for goods: the drawing that the first of them with one of ours names. An image
/// elsewhere is not shown, for a page loads nothing from other sites.
pub(crate) fn picture(goods: &[Goods]) -> String {
    let images = goods.iter().filter_map(|sku| sku.image.as_deref());
    let mut ours = images.filter(|image| {
        let name = image.strip_prefix(FOLDER).and_then(|file| file.strip_suffix(".svg"));
        name.is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase()))
    });
    ours.next().map_or_else(|| PLAIN.to_owned(), |image| format!("{image}#goods"))
}

/// Answers one drawing.
pub(crate) async fn answer(Path(file): Path<String>) -> Response {
    let found = DRAWINGS.iter().find(|(name, _)| file.strip_suffix(".svg") == Some(*name));
    let Some((_, drawing)) = found else {
        return (StatusCode::NOT_FOUND, "no such drawing\n").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
        (header::CACHE_CONTROL, FRESH),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, *drawing).into_response()
}

/// The price, or the lowest with the highest.
pub(crate) fn prices(goods: &[Goods], words: Language) -> String {
    let exact = |price: &Money| money(price.minor, &price.currency);
    let low = goods.iter().map(|sku| &sku.price).min_by_key(|price| price.minor);
    let high = goods.iter().map(|sku| &sku.price).max_by_key(|price| price.minor);
    match (low, high) {
        (Some(low), Some(high)) if low.minor == high.minor => exact(low),
        (Some(low), Some(high)) => words.price_range(exact(low), exact(high)),
        _ => words.unknown().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictured(images: &[Option<&str>]) -> String {
        let goods = images.iter().map(|image| {
            let price = serde_json::json!({"minor": 1, "currency": "EUR"});
            let goods = serde_json::json!({"title": "Mug", "price": price, "image": image});
            serde_json::from_value(goods).unwrap()
        });
        picture(&goods.collect::<Vec<Goods>>())
    }

    #[test]
    fn only_drawings_of_this_server_are_drawn() {
        assert_eq!(pictured(&[None, Some("/goods/candle.svg")]), "/goods/candle.svg#goods");
        let elsewhere = [
            "https://shop.example/goods/a.svg",
            "//shop.example/goods/a.svg",
            "/goods/../v1/demo.svg",
            "/goods/.svg",
            "/goods/a.svg#x",
        ];
        for image in elsewhere {
            assert_eq!(pictured(&[Some(image)]), "#i-goods", "{image}");
        }
    }
}
