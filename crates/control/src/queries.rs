//! Which fields the query of each operation may have.
//!
//! The names are read from the interface's own description, so a path that is new is strict from its first
//! day, and so is one that takes no query at all: `after` on a path that reads everything would
//! otherwise look as if it had been heeded.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{MatchedPath, Query, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, ParameterIn},
};

use crate::problem::{Code, Problem};

/// Names of query fields, by method and path.
#[derive(Clone, Debug)]
pub(crate) struct Queries(Arc<HashMap<(Method, String), Vec<String>>>);

impl Queries {
    /// Those that the document describes.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let mut names = HashMap::new();
        for (path, item) in &document.paths.paths {
            let operations = [
                (Method::GET, &item.get),
                (Method::PUT, &item.put),
                (Method::POST, &item.post),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            for (method, operation) in operations {
                if let Some(operation) = operation {
                    names.insert((method, path.clone()), in_query(operation));
                }
            }
        }
        Self(Arc::new(names))
    }

    /// Refuses the first field that the operation does not have.
    fn check(&self, request: &Request, path: &MatchedPath) -> Result<(), Problem> {
        if request.uri().query().is_none_or(str::is_empty) {
            return Ok(());
        }
        // axum answers HEAD by the handler of GET.
        let method = Some(request.method()).filter(|method| *method != Method::HEAD);
        let operation = (method.unwrap_or(&Method::GET).clone(), path.as_str().to_owned());
        let Some(allowed) = self.0.get(&operation) else { return Ok(()) };
        let bad = |detail: String| Problem::new(Code::BadQuery, detail);
        let fields = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
        let Query(fields) = fields.map_err(|error| bad(error.body_text()))?;
        let unknown = fields.into_iter().find(|(name, _)| !allowed.contains(name));
        let Some((name, _)) = unknown else { return Ok(()) };
        let (method, path) = operation;
        let allowed: Vec<_> = allowed.iter().map(|name| format!("`{name}`")).collect();
        let instead = match allowed.as_slice() {
            [] => "takes no query: leave it out".to_owned(),
            names => format!("takes {}", names.join(", ")),
        };
        Err(bad(format!("unknown field `{name}`; {method} {path} {instead}")))
    }
}

fn in_query(operation: &Operation) -> Vec<String> {
    let parameters = operation.parameters.iter().flatten();
    let names = parameters.filter_map(|parameter| match parameter {
        RefOr::T(parameter) => {
            matches!(parameter.parameter_in, ParameterIn::Query).then(|| parameter.name.clone())
        }
        RefOr::Ref(_) => None,
    });
    names.collect()
}

/// Lets a request on whose query has only fields that its operation has.
pub(crate) async fn check(
    State(queries): State<Queries>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    queries.check(&request, &path)?;
    Ok(next.run(request).await)
}
