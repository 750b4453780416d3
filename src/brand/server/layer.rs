//! The part of finding out who is asking that brands know: whose host name was used, and what the visitor's pages look like.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{hosts, shown};
use crate::model::{Brand, Branding};
use patchbay_access::server::{Db, Visitor};

/// Comes after `access::server::identify`: fills in host name and brand, and puts the `Brand` into the request. At an agency's own host
/// name nobody but its people are known.
pub async fn apply_brand(State(db): State<Db>, mut request: Request, next: Next) -> Response {
    let tenant = match hosts::tenant_of(&db, hosts::named_by(&request)).await {
        Ok(tenant) => tenant,
        Err(error) => return error.into_response(),
    };
    let Some(mut visitor) = request.extensions_mut().remove::<Visitor>() else { return next.run(request).await };
    let mut brand = Brand::default();
    if let Some(tenant) = tenant {
        visitor.home = Some(tenant.workspace);
        visitor.base = tenant.base;
        brand = tenant.brand;
        let own = |workspace: &_| visitor.home == Some(*workspace);
        let is_own = |viewer: &patchbay_access::Viewer| viewer.workspace.as_ref().is_some_and(|home| own(&home.id));
        visitor.viewer = visitor.viewer.take().filter(is_own);
    }
    if let Some(viewer) = &mut visitor.viewer {
        let set = std::mem::take(&mut visitor.branding).into_iter();
        let set = set.map(|stored| serde_json::from_value::<Branding>(stored).unwrap_or_default());
        brand = shown(db.services(), set.reduce(Branding::over).unwrap_or_default());
        if let Some(home) = &mut viewer.workspace {
            (home.product, home.logo) = (brand.product.clone(), brand.logo.clone());
        }
    }
    request.extensions_mut().insert(brand);
    request.extensions_mut().insert(visitor);
    next.run(request).await
}
