//! What a refusal's code says about the request.

use stampede_domain::RefusalCode;

/// The reason in a few words, for somebody who does not know the codes.
pub(super) const fn meaning(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::Busy => "the server had no room for it at that moment",
        RefusalCode::RateLimited => "the viewer's requests came too fast",
        RefusalCode::TicketExpired => "the viewer's ticket had expired",
        RefusalCode::UnknownDrop => "there was no such drop",
        RefusalCode::UnknownSku => "the drop has no such goods",
        RefusalCode::UnitsOutOfRange => "more units than one buy may ask for, or none",
        RefusalCode::KeyReused => "the app had used its key for another request",
        RefusalCode::NotOpen => "before the drop opened",
        RefusalCode::Paused => "while the drop was paused",
        RefusalCode::Closed => "after the drop had closed",
        RefusalCode::OverViewerLimit => "more units than one viewer may have",
        RefusalCode::HoldsCapped => "more holds than one viewer may make",
        RefusalCode::SoldOut => "no unit was left at that moment",
        RefusalCode::NotEnough => "fewer units were left than it asked for",
        RefusalCode::UnknownHold => "there was no such hold",
        RefusalCode::HoldEnded => "the hold had ended",
        RefusalCode::HoldConfirmed => "the hold was an order already",
        RefusalCode::PaymentPending => "a payment for the hold was under way",
        RefusalCode::PayNotOffered => "the server takes no payments itself",
    }
}
