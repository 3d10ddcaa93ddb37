//! Reading tasks and writing them.

macro_rules! asana {
    ([$next:ident $($after:ident)*] $($before:tt)*) => {
        $next! { [$($after)*] $($before)*
            AsanaUnreachable Connection "MLC-3001" "Asana cannot be reached",
                "No connection could be made; nothing was sent.",
                "Check DNS, the firewall and the proxy. It is tried again by itself.";
            AsanaNoAnswer InDoubt "MLC-3002" "Asana's answer to a write did not arrive",
                "It is not known whether the write happened. The movement is in doubt and is looked up before anything is sent again.",
                "Nothing; it settles by itself.";
            AsanaUnauthorized Credential "MLC-3003" "Asana does not accept the token",
                "The token was revoked, or the app is blocked in the workspace.",
                "Make a new token for the integration user and store it with `connection edit NAME --asana-token-file FILE`.";
            AsanaPayment Permission "MLC-3004" "The feature is above the workspace's Asana plan",
                "Custom fields need a paid plan.",
                "Upgrade the workspace, or use one that has custom fields.";
            AsanaForbidden Permission "MLC-3005" "Asana refuses access",
                "The integration user may not see or change the object.",
                "Make the integration user a member of the project with edit rights, also on the mapped fields.";
            AsanaNotFound MissingReference "MLC-3006" "Asana does not know the object",
                "The workspace, project or field does not exist or is hidden from the integration user.",
                "Check the gid, and that the integration user is a member.";
            AsanaRefused Value "MLC-3007" "Asana refused the request",
                "The request was understood and declined; sending it again would not help. The movement failed and nothing was changed.",
                "Read Asana's message on the movement; a field may have been changed or removed.";
            AsanaBusy RateLimit "MLC-3008" "Asana asks to slow down",
                "The token's rate limit is used up. Sending goes on after the time Asana names; no attempt is used up.",
                "Nothing, if rare. Otherwise lower `asana.requests_per_minute`: other programs may share the token.";
            AsanaServer Connection "MLC-3009" "Asana failed to answer",
                "Asana answered with a server error. Reads are repeated; writes are looked up first.",
                "Nothing; see status.asana.com if it persists.";
            AsanaMalformed Connection "MLC-3010" "Asana's answer could not be read",
                "The body was cut off, not JSON, or HTML from something in between.",
                "If it persists, look for a proxy between this program and Asana.";
            TaskGone MissingReference "MLC-3011" "The task was deleted in Asana",
                "The order's task no longer exists or is hidden. Nothing was written; the values wait.",
                "Restore the task from Asana's trash (30 days), or set `tasks.deleted = \"recreate\"` to have a new one made.";
            AsanaStoredOther Value "MLC-3012" "Asana stored another value than was sent",
                "The answer to the write shows a different value. The movement failed, so that the difference is seen.",
                "Compare request and response on the movement; look for a rule in Asana that changes the field.";
            AsanaWorkspace MissingReference "MLC-3013" "The workspace is not visible to the token",
                "The integration user is not a member, or apps are blocked there.",
                "Invite the integration user, or allow the token in the workspace's app settings.";
        }
    };
}
