//! Asana's webhooks.

macro_rules! hooks {
    ([$next:ident $($after:ident)*] $($before:tt)*) => {
        $next! { [$($after)*] $($before)*
            HookRefused Permission "MLC-5001" "Asana refused to make the webhook",
                "Events of the project do not arrive; the sweep still finds what changed, only later.",
                "Read Asana's message. The integration user must be a member of the project, and the token must be allowed `webhooks:write` and `webhooks:delete`. Asana keeps at most 1,000 webhooks for one resource, over all apps, and 10,000 for one user and app.";
            HookDuplicate Conflict "MLC-5002" "Asana has a webhook for this target already",
                "Each registration has a target of its own, so this should not happen. Events of the project do not arrive through the new webhook.",
                "Nothing; the next check deletes what should not be there and registers anew.";
            HookAddress Connection "MLC-5003" "Asana cannot call this public address",
                "Asana delivers only to a public host. Nothing was registered, or Asana refused the target; the sweep still finds what changed, only later.",
                "Set the public address to an https:// address that reaches this program from the internet, without query, fragment or credentials; or leave `--public-url` out, and go on with the sweep alone.";
            HookPlan Permission "MLC-5004" "Webhooks are above the workspace's Asana plan",
                "Events do not arrive; the sweep still finds what changed, only later.",
                "Upgrade the workspace, or go on with the sweep alone.";
            HookNoHandshake Connection "MLC-5005" "Asana's handshake did not arrive here",
                "Before Asana makes a webhook it calls the public address, and this program did not receive that call, or another one answered it.",
                "The public address must lead to a running `serve`. From outside, `curl -i -X POST PUBLIC-ADDRESS/hooks/asana/x` must answer 404 from this program. Look for a firewall, a login page or an old installation behind the address; all nodes behind it must use one database and one key.";
            HookSecret Credential "MLC-5006" "The handshake's secret is not the one in Asana's answer",
                "Somebody else offered a secret to the target while the webhook was made, or Asana's answer names none. The webhook was deleted; nothing signed with the other secret was ever taken.",
                "The next check registers anew. If it happens again, find out who can read the targets: they stand in Asana's list of webhooks and in the logs of proxies.";
            HookBusy Conflict "MLC-5007" "The resource is being registered, or is registered",
                "It was not registered a second time.",
                "Nothing; a registration that was begun and never finished is given up after three minutes.";
            HookLost MissingReference "MLC-5008" "A webhook no longer exists in Asana, or leads elsewhere",
                "Asana deletes a webhook when deliveries failed for 24 hours, and tells nobody; a person may have deleted it, or the token, the key or the public address was changed. It is registered anew, and what changed meanwhile is found by the sweep.",
                "Nothing, if this program was down for a day. Otherwise look why deliveries fail: `last_failure` of the registration says what Asana got for an answer.";
            HookNotStored Internal "MLC-5009" "A delivery could not be stored",
                "It was answered 503, so that Asana sends it again, for up to 24 hours.",
                "Look at the cause that is printed with it; check the database.";
            HookUnreadable Value "MLC-5010" "A delivery with a good signature cannot be read",
                "Its body is not of the form that Asana documents. It was answered 400, and nothing was stored; the sweep finds what changed.",
                "It is a defect of this program, or Asana changed the form: please report it.";
            HookForged Credential "MLC-5011" "Deliveries with a bad signature arrive",
                "They were refused and nothing was stored. Somebody knows a target, or something between Asana and this program changes bodies.",
                "If no delivery is accepted any more, look for a proxy that changes bodies. Otherwise have the webhook registered anew, which gives it another target.";
        }
    };
}
