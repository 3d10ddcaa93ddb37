//! The attributes of `erpintegrations`, as the page "Create an inbound or outbound set of data" and working
//! clients list them.

use crate::oracle::schema::{Attribute, KeyStyle, Kind, Resource, Writes};

const fn text(name: &'static str) -> Attribute {
    Attribute { name, kind: Kind::Text, queryable: false, hidden: false }
}

const HIDDEN: Attribute = Attribute { name: "", kind: Kind::Id, queryable: false, hidden: true };

pub(crate) static ERP_INTEGRATIONS: Resource = Resource {
    name: "erpintegrations",
    attributes: &[
        HIDDEN,
        text("OperationName"),
        text("DocumentId"),
        text("DocumentContent"),
        text("FileName"),
        text("ContentType"),
        text("FileType"),
        text("DocumentAccount"),
        text("Comments"),
        text("JobPackageName"),
        text("JobDefName"),
        Attribute { name: "ReqstId", kind: Kind::Id, queryable: false, hidden: false },
        text("RequestStatus"),
        text("JobName"),
        text("ParameterList"),
        text("NotificationCode"),
        text("CallbackURL"),
        text("JobOptions"),
        text("StatusCode"),
        text("ESSParameters"),
    ],
    key: 0,
    key_style: KeyStyle::Opaque,
    last_update: None,
    children: &[],
    finders: &[("ESSJobStatusRF", "requestId"), ("ESSExecutionDetailsRF", "requestId")],
    writes: Writes::Create,
};
