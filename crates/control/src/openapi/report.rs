//! The shape of a report, which another crate makes for every reader of a ledger.

use serde_json::{Map, Value, json};

use self::Shape::{
    Difference, Flag, ListOf, MaybeListOf, MaybeNumber, MaybeOf, MaybeText, Number, NumberList,
    Numbers, Of, Text,
};

/// What a field of a report is.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    MaybeText,
    Flag,
    Number,
    MaybeNumber,
    /// A number that may be negative.
    Difference,
    NumberList,
    Of(&'static str),
    MaybeOf(&'static str),
    ListOf(&'static str),
    MaybeListOf(&'static str),
    /// A number for each name.
    Numbers,
}

/// A field that is left out where it is false.
const LEFT_OUT: &str = "by_stream";

type Schema = (&'static str, &'static str, &'static [(&'static str, Shape)]);

#[rustfmt::skip]
const SCHEMAS: &[Schema] = &[
    ("Report", "The sell-out report, folded from the journal. docs/control.md says what each field means.", &[
        ("schema", Text), ("drop", Text), ("title", Text), ("stream", Text), ("merchant", Text), ("host", Text),
        ("mode", Of("Mode")), ("revision", Number), ("phase", Of("Phase")), ("phases", ListOf("ReportPhase")),
        ("changes", ListOf("ReportChange")), ("changes_cut", Flag),
        ("as_of_ms", Number), ("closing_hash", MaybeText), ("planned", Number), ("supplied", Number),
        ("held", Number), ("sold", Number), ("left", Number), ("reserve", Number), ("oversold", Number),
        ("stranded", MaybeNumber), ("taken", Of("ReportTaken")), ("came_back", Of("ReportEnds")),
        ("taken_again", Number), ("skus", ListOf("ReportSku")),
        ("buyers", Number), ("channels", ListOf("ReportChannel")), ("channels_left_out", Number),
        ("channels_rest", MaybeOf("ReportChannelFigures")), ("clicks_by_channel_other", MaybeNumber),
        ("clicks", Number), ("retries", Number), ("tallied_held", Number), ("restarts_live", Number),
        ("counts_complete", Flag), ("answer_times", MaybeOf("ReportAnswers")), ("refusals", Numbers),
        ("refused_for_want", Number),
        ("tally_clicks_max", Number), ("connected_max", Number), ("opened_at_ms", MaybeNumber),
        ("sold_out_after_ms", MaybeNumber), ("half_after_ms", MaybeNumber),
        ("nine_tenths_after_ms", MaybeNumber), ("last_taken_after_ms", MaybeNumber),
        ("half_paid_after_ms", MaybeNumber), ("all_paid_after_ms", MaybeNumber),
        ("last_paid_after_ms", MaybeNumber), ("settled_after_ms", MaybeNumber),
        ("gaps", ListOf("ReportGap")), ("gaps_cut", Flag), ("paused_ms", Number),
        ("outage_ms", Number), ("restarts", Number), ("currency", Text), ("gross_minor", Number),
        ("charges_minor", Number), ("paid_minor", Number), ("refunded_minor", Number), ("net_minor", Number),
        ("cancelled_orders", Number), ("cancelled_units", Number),
        ("refunds_due", Number), ("refund_due_minor", Number), ("authorized_minor", Number), ("declined", Number),
        ("unpaid_orders", Number), ("adjustments", MaybeOf("ReportAdjustments")),
        ("pace", Of("ReportPace")), ("course", Of("ReportCourse")), ("before_opening", Of("ReportEarlyClicks")),
        ("busiest_second", MaybeOf("ReportBusiestSecond")),
        ("seconds", ListOf("ReportSecond")), ("seconds_cut", Flag),
        ("journal", Of("ReportJournal")),
    ]),
    ("ReportPhase", "A phase with its beginning.", &[("phase", Of("Phase")), ("at_ms", Number), (LEFT_OUT, Flag)]),
    ("ReportChange", "Something that was changed during the sale; what does not belong to that kind is `null`.", &[
        ("what", Text), ("at_ms", Number), ("role", MaybeText), ("sku", MaybeText), ("units", MaybeNumber),
        ("reserve_units", MaybeNumber), ("limits", ListOf("ReportLimit")), ("ends_at_ms", MaybeNumber),
        ("ends_at_before_ms", MaybeNumber), ("extended_ms", MaybeNumber), ("closes_by_ms", MaybeNumber),
        ("copy", MaybeText),
    ]),
    ("ReportLimit", "Another limit of a viewer; the SKU is `null` for that over all SKUs.", &[
        ("sku", MaybeText), ("limit_per_viewer", Number), ("limit_per_viewer_before", Number),
    ]),
    ("ReportTaken", "Everything ever taken, by how it ended.", &[
        ("all", Of("ReportEnds")), ("confirmed", Of("ReportEnds")), ("released", Of("ReportEnds")),
        ("expired", Of("ReportEnds")),
    ]),
    ("ReportEnds", "Holds with their units.", &[("holds", Number), ("units", Number)]),
    ("ReportOption", "What tells a SKU from the others.", &[("name", Text), ("value", Text)]),
    ("ReportSku", "Figures of one SKU.", &[
        ("sku", Text), ("title", Text), ("merchant_sku", Text), ("options", ListOf("ReportOption")),
        ("price_minor", Number), ("supplied", Number),
        ("held", Number), ("sold", Number), ("left", Number), ("reserve", Number), ("taken", Number),
        ("came_back", Number),
        ("orders", Number), ("refused_for_want", MaybeNumber),
        ("gross_minor", Number), ("charges_minor", Number), ("paid_minor", Number),
        ("refunded_minor", Number), ("net_minor", Number), ("sold_out_after_ms", MaybeNumber),
    ]),
    ("ReportChannel", "What one channel brought; the channel is `null` for tickets that name none.", &[
        ("channel", MaybeText), ("clicks", MaybeNumber), ("taken", Number), ("came_back", Number), ("held", Number),
        ("orders", Number), ("units", Number), ("gross_minor", Number),
        ("charges_minor", Number), ("paid_minor", Number), ("refunded_minor", Number), ("net_minor", Number),
    ]),
    ("ReportChannelFigures", "What several channels brought together.", &[
        ("clicks", MaybeNumber), ("taken", Number), ("came_back", Number), ("held", Number),
        ("orders", Number), ("units", Number), ("gross_minor", Number),
        ("charges_minor", Number), ("paid_minor", Number), ("refunded_minor", Number), ("net_minor", Number),
    ]),
    ("ReportGap", "A time since the opening in which nobody could take: `paused` or `away`.", &[
        ("kind", Text), ("from_ms", Number), ("to_ms", Number),
    ]),
    ("ReportAdjustments", "What came after settlement, as differences.", &[
        ("as_of_ms", Number), ("records", Number), ("orders_cancelled", Number), ("units_cancelled", Number),
        ("charges_minor", Difference), ("paid_minor", Difference), ("refunded_minor", Difference),
        ("net_minor", Difference),
    ]),
    ("ReportPace", "Units taken in each step since the opening.", &[("step_ms", Number), ("units", NumberList)]),
    ("ReportCourse", "What happened in each step since the opening.", &[
        ("step_ms", Number), ("steps", ListOf("ReportCounts")),
    ]),
    ("ReportCounts", "What happened in a span of time.", &[
        ("taken", Number), ("paid", Number), ("came_back", Number), ("clicks", Number), ("refused", Number),
        ("connected", MaybeNumber),
    ]),
    ("ReportEarlyClicks", "Clicks before the opening.", &[("clicks", Number), ("refused", Number)]),
    ("ReportAnswers", "How many buys were answered, and in how many microseconds.", &[
        ("answers", Number), ("p50_us", Number), ("p99_us", Number), ("p999_us", Number),
    ]),
    ("ReportBusiestSecond", "The second after the opening with the most units taken.", &[
        ("second", Number), ("units", Number),
    ]),
    ("ReportSecond", "What happened in one second after the opening.", &[
        ("second", Number), ("taken", Number), ("paid", Number), ("came_back", Number), ("clicks", Number),
        ("refused", Number), ("connected", MaybeNumber),
    ]),
    ("ShowReport", "The report of a show: sums over its live drops that were not cancelled.", &[
        ("schema", Text), ("show", Text), ("stream", Text), ("began_ms", MaybeNumber), ("ended_ms", MaybeNumber),
        ("as_of_ms", Number), ("running", Flag), ("money", ListOf("ShowMoney")), ("planned", Number),
        ("supplied", Number), ("taken", Number), ("held", Number), ("sold", Number), ("left", Number),
        ("came_back", Number), ("clicks", Number), ("refused_for_want", Number), ("orders", Number),
        ("buyers", Number), ("drops", ListOf("ShowLine")), ("rehearsals", ListOf("ShowLine")),
        ("cancelled", ListOf("ShowLine")), ("best", ListOf("ShowBest")), ("channels", ListOf("ShowChannel")),
        ("channels_left_out", Number), ("channels_rest", MaybeOf("ShowChannelSums")),
        ("clicks_by_channel_other", MaybeNumber), ("counts_complete", Flag),
        ("adjustments", MaybeListOf("ShowAdjustments")),
    ]),
    ("ShowMoney", "Money of orders in one currency.", &[
        ("currency", Text), ("gross_minor", Number), ("charges_minor", Number), ("paid_minor", Number),
        ("refunded_minor", Number), ("net_minor", Number),
    ]),
    ("ShowLine", "The main figures of one drop of a show.", &[
        ("drop", Text), ("title", Text), ("merchant", Text), ("host", Text), ("mode", Of("Mode")),
        ("phase", Of("Phase")), ("running_order", Number), ("opened_at_ms", MaybeNumber), ("supplied", Number),
        ("taken", Number), ("held", Number), ("sold", Number), ("left", Number), ("came_back", Number),
        ("buyers", Number), ("orders", Number), ("clicks", Number), ("refused_for_want", Number),
        ("sold_out_after_ms", MaybeNumber), ("all_paid_after_ms", MaybeNumber), ("currency", Text),
        ("gross_minor", Number), ("charges_minor", Number), ("paid_minor", Number), ("refunded_minor", Number),
        ("net_minor", Number), ("closing_hash", MaybeText),
    ]),
    ("ShowBest", "Goods that sold best in a show.", &[
        ("drop", Text), ("title", Text), ("sku", Text), ("sku_title", Text), ("merchant_sku", Text),
        ("options", ListOf("ReportOption")), ("drops", Number),
        ("sold", Number), ("supplied", Number), ("gross_minor", Number), ("currency", Text),
    ]),
    ("ShowChannel", "What one channel brought in a show; `null` for tickets that name none.", &[
        ("channel", MaybeText), ("clicks", MaybeNumber), ("taken", Number), ("came_back", Number), ("held", Number),
        ("orders", Number), ("units", Number), ("money", ListOf("ShowMoney")),
    ]),
    ("ShowChannelSums", "What several channels brought in a show.", &[
        ("clicks", MaybeNumber), ("taken", Number), ("came_back", Number), ("held", Number),
        ("orders", Number), ("units", Number), ("money", ListOf("ShowMoney")),
    ]),
    ("ShowAdjustments", "What came after settlement in one currency, as differences.", &[
        ("currency", Text), ("as_of_ms", Number), ("records", Number), ("orders_cancelled", Number),
        ("units_cancelled", Number), ("charges_minor", Difference), ("paid_minor", Difference),
        ("refunded_minor", Difference), ("net_minor", Difference),
    ]),
    ("ReportJournal", "What the journal needed.", &[("records", Number), ("commits", Number), ("bytes", Number)]),
];

/// Adds the schemas of a report, and says that it is what the path answers.
pub(super) fn add_report(document: &mut Value) {
    for (name, about, fields) in SCHEMAS {
        let names = fields.iter().map(|(field, _)| *field);
        let required: Vec<&str> = names.filter(|field| *field != LEFT_OUT).collect();
        let described = fields.iter().map(|(field, shape)| ((*field).to_owned(), shape.schema()));
        let properties: Map<String, Value> = described.collect();
        document["components"]["schemas"][*name] = json!({
            "type": "object", "description": about, "required": required, "properties": properties,
        });
    }
    let answer = &mut document["paths"]["/v1/drops/{drop}/report"]["get"]["responses"]["200"];
    answer["content"]["application/json"]["schema"] = reference("Report");
}

impl Shape {
    fn schema(self) -> Value {
        let number = json!({ "type": "integer", "format": "int64", "minimum": 0 });
        match self {
            Text => json!({ "type": "string" }),
            MaybeText => json!({ "type": ["string", "null"] }),
            Flag => json!({ "type": "boolean" }),
            Number => number,
            MaybeNumber => json!({ "type": ["integer", "null"], "format": "int64", "minimum": 0 }),
            Difference => json!({ "type": "integer", "format": "int64" }),
            NumberList => json!({ "type": "array", "items": number }),
            Of(name) => reference(name),
            MaybeOf(name) => json!({ "oneOf": [reference(name), { "type": "null" }] }),
            ListOf(name) => json!({ "type": "array", "items": reference(name) }),
            MaybeListOf(name) => {
                json!({ "oneOf": [ListOf(name).schema(), { "type": "null" }] })
            }
            Numbers => json!({ "type": "object", "additionalProperties": number }),
        }
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
