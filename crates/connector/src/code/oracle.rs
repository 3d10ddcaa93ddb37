//! Reading from Oracle.

macro_rules! oracle {
    ([$next:ident $($after:ident)*] $($before:tt)*) => {
        $next! { [$($after)*] $($before)*
            OracleUnreachable Connection "MLC-2001" "Oracle cannot be reached",
                "No connection to the host could be made. Nothing was read; the watermark stands where it was.",
                "Check the Oracle address, DNS, the firewall and the proxy. It is tried again by itself.";
            OracleTimedOut Connection "MLC-2002" "Oracle did not answer in time",
                "A read ran into the time limit. Nothing was lost; it is read again.",
                "If it persists, look for an Oracle maintenance window; large queries are aborted by Oracle after five minutes.";
            OracleClientRefused Credential "MLC-2003" "The token endpoint refused the client id or secret",
                "No token was given, so nothing can be read.",
                "Compare client id and secret with the confidential application in the identity domain and store the secret anew.";
            OracleScopeRefused Credential "MLC-2004" "The token endpoint refused the scope",
                "No token was given, so nothing can be read.",
                "Copy the scope string from the identity domain's console, character by character: it is the resource application's audience directly followed by the scope.";
            OracleTokenFailed Credential "MLC-2005" "The token endpoint did not give a token",
                "The answer was not a token. Nothing can be read until it is.",
                "Check the token URL: it ends in /oauth2/v1/token on the identity domain's host.";
            OracleUnauthorized Credential "MLC-2006" "Oracle does not accept the token",
                "A fresh token was refused as well: the pod does not trust it, or no Fusion user belongs to it.",
                "With client credentials a Fusion user whose name equals the client id must exist and be synchronised to the identity domain.";
            OracleForbidden Permission "MLC-2007" "Oracle refuses access to the resource",
                "The user behind the token lacks the privilege, or calls from a place that is not allowed.",
                "Give the integration user the duty roles named in the guide; check location-based access control.";
            OracleNotFound MissingReference "MLC-2008" "Oracle does not know the resource",
                "The path does not exist on this pod, or the row is not visible.",
                "Check the Oracle address: it is the pod's origin without a path.";
            OracleRefused RejectedByOracle "MLC-2009" "Oracle refused the query",
                "The request was understood and declined; asking again would not help.",
                "Read Oracle's message. `oracle.framework_version` decides how the pod reads a query; an attribute that the message names is compared with what the pod's describe says.";
            OracleBusy RateLimit "MLC-2010" "Oracle asks to slow down",
                "Too many requests. Reading goes on after the time that Oracle names, an hour at most; within a minute the job waits where it stands. For an hour it counts as no failure.",
                "Nothing, if rare. Otherwise poll less often, or lower `oracle.requests_per_minute`.";
            OracleMaintenance Connection "MLC-2011" "Oracle is in maintenance",
                "The pod's answer speaks of maintenance. Nothing was read and nothing is lost; it is asked again every few minutes, however long it lasts. For eight hours the page and `connection show` call it Oracle maintenance, and no trouble.",
                "Nothing; Oracle announces its maintenance windows. If it lasts longer than announced, ask Oracle.";
            OracleServer Connection "MLC-2012" "Oracle failed to answer",
                "The pod answered with a server error. It is tried again by itself.",
                "If it persists, open a service request with the message.";
            OracleMalformed Connection "MLC-2013" "Oracle's answer could not be read",
                "The body was cut off, not JSON, or HTML from something in between. Nothing of it was stored.",
                "If it persists, look for a proxy or a login page between this program and the pod.";
            OraclePageRepeats Conflict "MLC-2014" "Oracle sent the same page again",
                "Going on would not end. The poll stopped; what was read before is stored.",
                "It is tried again by itself. If it persists, tell Oracle: the collection's offset or order is not honoured.";
            OracleNoRows Permission "MLC-2015" "Oracle shows no row at all",
                "Missing data access looks exactly like an empty collection: status 200 with nothing in it.",
                "Give the integration user access to a business unit that has records, then ping again.";
            RecordUnreadable Value "MLC-2016" "A record of Oracle cannot be read",
                "The record lacks what is needed of it, or has an attribute of an unexpected type. It is kept in the log as held; the others go on. One without a readable id stands there as `nameless/` and a digest of its text. Only when no row of a page has an id does the reading of the feed end there, to be tried again. A record whose LastUpdateDate is missing or cannot be read is taken like any other; its changes are found by full scans alone.",
                "Look at the record with `movements show NAME ID`; when the feed itself reports this code, with the page of the order or invoice in Oracle. If the attribute's form is legitimate, it is a defect of this program: please report it.";
            OracleNotVisible MissingReference "MLC-2017" "What the journal settings name is not visible in Oracle",
                "It does not exist, or the integration user may not see it: Oracle answers both with nothing. As long as it is so, journals would be refused or rejected.",
                "Compare the setting with Oracle's own pages. If it is right, give the integration user access to the ledger and to the lists of its setup.";
        }
    };
}
