//! The bytes of `sessions.json`.

use serde::{Deserialize, Serialize};
use stampede_domain::{IdError, UnixMillis};

use super::{
    Grant, Invitation, NewStaff,
    book::{Book, SessionRecord},
    file::Content,
    invitation::StoredInvitation,
    token_rows::{check_version, hash, names, role, scope},
};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    version: u32,
    #[serde(default)]
    invitations: Vec<InvitationRow>,
    sessions: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    id: String,
    name: String,
    #[serde(flatten)]
    rests_on: GrantRow,
    /// The session that this one goes on for, by whose id its keys are told from others'.
    keys: String,
    blake3: String,
    started_at_ms: u64,
    used_at_ms: u64,
    ends_at_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct InvitationRow {
    id: String,
    #[serde(flatten)]
    by: GrantRow,
    by_name: String,
    name: String,
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    streams: Vec<String>,
    blake3: String,
    created_at_ms: u64,
    ends_at_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redeemed_at_ms: Option<u64>,
}

/// What somebody was let in by: one of the two, or neither on the server's own machine.
#[derive(Serialize, Deserialize)]
struct GrantRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invitation: Option<String>,
}

impl From<&Grant> for GrantRow {
    fn from(grant: &Grant) -> Self {
        match grant {
            Grant::Token(id) => Self { token: Some(id.clone()), invitation: None },
            Grant::Invitation(id) => Self { token: None, invitation: Some(id.clone()) },
            Grant::Machine => Self { token: None, invitation: None },
        }
    }
}

impl GrantRow {
    fn grant(self) -> Result<Grant, String> {
        match (self.token, self.invitation) {
            (Some(id), None) => Ok(Grant::Token(id)),
            (None, Some(id)) => Ok(Grant::Invitation(id)),
            (None, None) => Ok(Grant::Machine),
            (Some(_), Some(_)) => Err("it rests on a token and on an invitation".to_owned()),
        }
    }
}

impl Content for Book {
    type Document = Document;
    const FILE: &str = "sessions.json";
    const LOCK: &str = "sessions.lock";

    fn read(document: Document) -> Result<Self, String> {
        check_version(document.version, VERSION)?;
        let sessions = document.sessions.into_iter().map(stored).collect::<Result<_, _>>()?;
        let invitations = document.invitations.into_iter().map(|row| {
            let id = row.id.clone();
            invitation(row).map_err(|what| format!("invitation {id}: {what}"))
        });
        Ok(Self { sessions, invitations: invitations.collect::<Result<_, _>>()? })
    }

    fn write(&self) -> Document {
        let rows = self.sessions.iter().map(|stored| Row {
            id: stored.id.clone(),
            name: stored.name.clone(),
            rests_on: GrantRow::from(&stored.grant),
            keys: stored.keys.clone(),
            blake3: stored.hash.to_hex().to_string(),
            started_at_ms: stored.started_at.get(),
            used_at_ms: stored.used_at.get(),
            ends_at_ms: stored.ends_at.get(),
        });
        let invitations = self.invitations.iter().map(invitation_row).collect();
        Document { version: VERSION, invitations, sessions: rows.collect() }
    }
}

fn stored(row: Row) -> Result<SessionRecord, String> {
    let Row { id, name, rests_on, keys, blake3, started_at_ms, used_at_ms, ends_at_ms } = row;
    let wrong = |what| format!("session {id}: {what}");
    let hash = hash(&blake3).map_err(wrong)?;
    let grant = rests_on.grant().map_err(wrong)?;
    if grant == Grant::Machine {
        return Err(wrong("it rests on nothing".to_owned()));
    }
    Ok(SessionRecord {
        id,
        name,
        grant,
        keys,
        hash,
        started_at: UnixMillis::new(started_at_ms),
        used_at: UnixMillis::new(used_at_ms),
        ends_at: UnixMillis::new(ends_at_ms),
    })
}

fn invitation_row(stored: &StoredInvitation) -> InvitationRow {
    let StoredInvitation { invitation, hash } = stored;
    InvitationRow {
        id: invitation.id.clone(),
        by: GrantRow::from(&invitation.by),
        by_name: invitation.by_name.clone(),
        name: invitation.staff.name.clone(),
        role: invitation.staff.role.name().to_owned(),
        merchant: invitation.staff.merchant.as_ref().map(ToString::to_string),
        streams: names(&invitation.staff.streams),
        blake3: hash.to_hex().to_string(),
        created_at_ms: invitation.created_at.get(),
        ends_at_ms: invitation.ends_at.get(),
        redeemed_at_ms: invitation.redeemed_at.map(UnixMillis::get),
    }
}

fn invitation(row: InvitationRow) -> Result<StoredInvitation, String> {
    let merchant = row.merchant.map(|text| text.parse()).transpose();
    let merchant = merchant.map_err(|error: IdError| error.to_string())?;
    let (role, streams) = (role(&row.role)?, scope(&row.streams)?);
    let invitation = Invitation {
        id: row.id,
        by: row.by.grant()?,
        by_name: row.by_name,
        staff: NewStaff { name: row.name, role, merchant, streams },
        created_at: UnixMillis::new(row.created_at_ms),
        ends_at: UnixMillis::new(row.ends_at_ms),
        redeemed_at: row.redeemed_at_ms.map(UnixMillis::new),
    };
    Ok(StoredInvitation { invitation, hash: hash(&row.blake3)? })
}
