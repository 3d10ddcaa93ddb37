//! The stable error codes (`MLC-….`): one list that the program, its pages and `docs/errors/` share.
//!
//! A code is never reused and never changes its meaning.

/// What a code says to the person who meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// The stable name, such as `MLC-1201`.
    pub code: &'static str,
    /// One line: what happened.
    pub title: &'static str,
    /// What it means for the data.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

macro_rules! codes {
    ($($name:ident $code:literal $title:literal, $meaning:literal, $remedy:literal;)*) => {
        /// Every failure a person can meet.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            /// All codes, in the order of the list.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The text that belongs to the code.
            #[must_use]
            pub const fn info(self) -> CodeInfo {
                match self {
                    $(Code::$name => CodeInfo {
                        code: $code, title: $title, meaning: $meaning, remedy: $remedy,
                    },)*
                }
            }
        }
    };
}

codes! {
    KeyMissing "MLC-1201" "No key-encryption key was given",
        "Credentials are stored only encrypted, and the key for that comes from outside the database. Nothing was started.",
        "Make one with `head -c 32 /dev/urandom | base64` and pass it as ML_CONNECTOR_KEY, or put it into a file (mode 0600) and pass --key-file. Keep a copy: without it the stored credentials cannot be read.";
    KeyMalformed "MLC-1202" "The key-encryption key is not 32 bytes in base64",
        "The value of ML_CONNECTOR_KEY or the content of the key file cannot be used as a key. Nothing was started.",
        "Make one with `head -c 32 /dev/urandom | base64`. A key that worked before must be passed unchanged.";
    KeyWrong "MLC-1203" "The credentials were encrypted with another key",
        "The connection's data key is wrapped by a key-encryption key with another fingerprint. The stored credentials are intact but unreadable with this key.",
        "Start with the key that was used when the connection was added. If that key is lost: keep the settings with `connection show NAME --toml`, then `connection remove` and `connection add` again with fresh secrets; existing tasks are found again.";
    CredentialUnreadable "MLC-1204" "A stored credential does not decrypt",
        "The row was changed, or copied from another connection. It is refused, since it may not be what was stored.",
        "Store the credential anew with `connection edit NAME --oracle-secret-file FILE` or `--asana-token-file FILE`.";
    CredentialMissing "MLC-1205" "A credential of the connection is not stored",
        "The connection cannot call the side that needs it.",
        "Store it with `connection edit NAME --oracle-secret-file FILE` or `--asana-token-file FILE`.";
    Database "MLC-1206" "The database did not do what was asked",
        "A statement failed or the database could not be reached. What was not committed is unchanged and is done again.",
        "Look at the cause that is printed with it; check that the server in DATABASE_URL runs and accepts connections.";
    Migration "MLC-1207" "The database's schema does not fit this program",
        "The migrations could not be applied, or the database was made by a newer version.",
        "Run `ml-connector migrate` with the newest version that has worked on this database; restore from a backup if a migration broke off.";
    SettingsInvalid "MLC-1208" "The connection's settings are not valid",
        "Nothing was stored. A file that cannot be read, or names an unknown setting, is told by its first problem and the place; once it can be read, all problems are listed, of each side's addresses the first.",
        "Mend each named setting; `connection show NAME --toml` prints the present ones.";
    ConnectionUnknown "MLC-1209" "There is no connection of that name",
        "Nothing was changed.",
        "`connection list` shows the names.";
    ConnectionExists "MLC-1210" "A connection of that name exists already",
        "Nothing was changed.",
        "Choose another name, or change the existing one with `connection edit`.";
    ConnectionState "MLC-1211" "The connection is not in a state that allows this",
        "Nothing was changed.",
        "`connection show NAME` prints the state; `connection activate` and `connection pause` change it.";
    LeaseLost "MLC-1212" "Another node has taken over this work",
        "The lease ran out while this node was busy or asleep. Nothing it had not committed counts; the other node does it again.",
        "Nothing, if it happens rarely. If often: look for a machine that is overloaded or suspended.";
    LeaseBusy "MLC-1213" "Another node is working on this now",
        "The job is leased. It was not started a second time.",
        "Wait and try again; the lease ends by itself within a minute after its node has gone.";
    InputUnreadable "MLC-1214" "A file or value that was given cannot be read",
        "Nothing was changed.",
        "Check the path, the permissions and the form that the message names.";
    PodChanged "MLC-1215" "The connection has read from another Oracle pod",
        "Nothing was changed. The ids of one pod name other records in another: tasks, movements and journals of both would be mixed.",
        "Pause this connection and add one for the other pod with `connection add`; `connection show NAME --toml` prints the settings to begin with.";
    AddressTaken "MLC-1216" "The address cannot be listened at",
        "Nothing was started.",
        "Another program listens there, or the address is not this machine's: stop that program, or choose another address with `--listen` or `--hooks-listen`.";

    SideFailing "MLC-1301" "One side of the connection keeps failing",
        "Five calls in a row failed, or the side announced a maintenance, so it is asked seldom: one job at a time tries it, after a while that grows to five minutes. All other work that needs the side waits; nothing is lost, and it goes on by itself with the first answer.",
        "Look at the code that is named with it. After `connection edit` both sides are asked again at once.";

    OracleUnreachable "MLC-2001" "Oracle cannot be reached",
        "No connection to the host could be made. Nothing was read; the watermark stands where it was.",
        "Check the Oracle address, DNS, the firewall and the proxy. It is tried again by itself.";
    OracleTimedOut "MLC-2002" "Oracle did not answer in time",
        "A read ran into the time limit. Nothing was lost; it is read again.",
        "If it persists, look for an Oracle maintenance window; large queries are aborted by Oracle after five minutes.";
    OracleClientRefused "MLC-2003" "The token endpoint refused the client id or secret",
        "No token was given, so nothing can be read.",
        "Compare client id and secret with the confidential application in the identity domain and store the secret anew.";
    OracleScopeRefused "MLC-2004" "The token endpoint refused the scope",
        "No token was given, so nothing can be read.",
        "Copy the scope string from the identity domain's console, character by character: it is the resource application's audience directly followed by the scope.";
    OracleTokenFailed "MLC-2005" "The token endpoint did not give a token",
        "The answer was not a token. Nothing can be read until it is.",
        "Check the token URL: it ends in /oauth2/v1/token on the identity domain's host.";
    OracleUnauthorized "MLC-2006" "Oracle does not accept the token",
        "A fresh token was refused as well: the pod does not trust it, or no Fusion user belongs to it.",
        "With client credentials a Fusion user whose name equals the client id must exist and be synchronised to the identity domain.";
    OracleForbidden "MLC-2007" "Oracle refuses access to the resource",
        "The user behind the token lacks the privilege, or calls from a place that is not allowed.",
        "Give the integration user the duty roles named in the guide; check location-based access control.";
    OracleNotFound "MLC-2008" "Oracle does not know the resource",
        "The path does not exist on this pod, or the row is not visible.",
        "Check the Oracle address: it is the pod's origin without a path.";
    OracleRefused "MLC-2009" "Oracle refused the query",
        "The request was understood and declined; asking again would not help.",
        "Read Oracle's message. `oracle.framework_version` decides how the pod reads a query; an attribute that the message names is compared with what the pod's describe says.";
    OracleBusy "MLC-2010" "Oracle asks to slow down",
        "Too many requests. Reading goes on after the time that Oracle names, an hour at most; within a minute the job waits where it stands. For an hour it counts as no failure.",
        "Nothing, if rare. Otherwise poll less often, or lower `oracle.requests_per_minute`.";
    OracleMaintenance "MLC-2011" "Oracle is in maintenance",
        "The pod's answer speaks of maintenance. Nothing was read and nothing is lost; it is asked again every few minutes, however long it lasts. For eight hours the page and `connection show` call it Oracle maintenance, and no trouble.",
        "Nothing; Oracle announces its maintenance windows. If it lasts longer than announced, ask Oracle.";
    OracleServer "MLC-2012" "Oracle failed to answer",
        "The pod answered with a server error. It is tried again by itself.",
        "If it persists, open a service request with the message.";
    OracleMalformed "MLC-2013" "Oracle's answer could not be read",
        "The body was cut off, not JSON, or HTML from something in between. Nothing of it was stored.",
        "If it persists, look for a proxy or a login page between this program and the pod.";
    OraclePageRepeats "MLC-2014" "Oracle sent the same page again",
        "Going on would not end. The poll stopped; what was read before is stored.",
        "It is tried again by itself. If it persists, tell Oracle: the collection's offset or order is not honoured.";
    OracleNoRows "MLC-2015" "Oracle shows no row at all",
        "Missing data access looks exactly like an empty collection: status 200 with nothing in it.",
        "Give the integration user access to a business unit that has records, then ping again.";
    RecordUnreadable "MLC-2016" "A record of Oracle cannot be read",
        "The record lacks what is needed of it, or has an attribute of an unexpected type. It is kept in the log as held; the others go on. Only when its id is missing, or its id or LastUpdateDate cannot be read, does the reading of the feed end there, to be tried again. A record without a LastUpdateDate is taken like any other; its changes are found by full scans alone.",
        "Look at the record with `movements show ID`; when the feed itself reports this code, with the page of the order or invoice in Oracle. If the attribute's form is legitimate, it is a defect of this program: please report it.";
    OracleNotVisible "MLC-2017" "What the journal settings name is not visible in Oracle",
        "It does not exist, or the integration user may not see it: Oracle answers both with nothing. As long as it is so, journals would be refused or rejected.",
        "Compare the setting with Oracle's own pages. If it is right, give the integration user access to the ledger and to the lists of its setup.";

    AsanaUnreachable "MLC-3001" "Asana cannot be reached",
        "No connection could be made; nothing was sent.",
        "Check DNS, the firewall and the proxy. It is tried again by itself.";
    AsanaNoAnswer "MLC-3002" "Asana's answer to a write did not arrive",
        "It is not known whether the write happened. The movement is in doubt and is looked up before anything is sent again.",
        "Nothing; it settles by itself.";
    AsanaUnauthorized "MLC-3003" "Asana does not accept the token",
        "The token was revoked, or the app is blocked in the workspace.",
        "Make a new token for the integration user and store it with `connection edit NAME --asana-token-file FILE`.";
    AsanaPayment "MLC-3004" "The feature is above the workspace's Asana plan",
        "Custom fields need a paid plan.",
        "Upgrade the workspace, or use one that has custom fields.";
    AsanaForbidden "MLC-3005" "Asana refuses access",
        "The integration user may not see or change the object.",
        "Make the integration user a member of the project with edit rights, also on the mapped fields.";
    AsanaNotFound "MLC-3006" "Asana does not know the object",
        "The workspace, project or field does not exist or is hidden from the integration user.",
        "Check the gid, and that the integration user is a member.";
    AsanaRefused "MLC-3007" "Asana refused the request",
        "The request was understood and declined; sending it again would not help. The movement failed and nothing was changed.",
        "Read Asana's message on the movement; a field may have been changed or removed.";
    AsanaBusy "MLC-3008" "Asana asks to slow down",
        "The token's rate limit is used up. Sending goes on after the time Asana names; no attempt is used up.",
        "Nothing, if rare. Otherwise lower `asana.requests_per_minute`: other programs may share the token.";
    AsanaServer "MLC-3009" "Asana failed to answer",
        "Asana answered with a server error. Reads are repeated; writes are looked up first.",
        "Nothing; see status.asana.com if it persists.";
    AsanaMalformed "MLC-3010" "Asana's answer could not be read",
        "The body was cut off, not JSON, or HTML from something in between.",
        "If it persists, look for a proxy between this program and Asana.";
    TaskGone "MLC-3011" "The task was deleted in Asana",
        "The order's task no longer exists or is hidden. Nothing was written; the values wait.",
        "Restore the task from Asana's trash (30 days), or set `tasks.deleted = \"recreate\"` to have a new one made.";
    AsanaStoredOther "MLC-3012" "Asana stored another value than was sent",
        "The answer to the write shows a different value. The movement failed, so that the difference is seen.",
        "Compare request and response on the movement; look for a rule in Asana that changes the field.";
    AsanaWorkspace "MLC-3013" "The workspace is not visible to the token",
        "The integration user is not a member, or apps are blocked there.",
        "Invite the integration user, or allow the token in the workspace's app settings.";

    NoRoute "MLC-4001" "No routing rule fits the order",
        "There is no rule that matches and no default project. Nothing was written.",
        "Add a rule or `[routing.default]`, then the order is sent by itself.";
    FieldMissing "MLC-4002" "A mapped field is not on the project",
        "Asana refuses values for a field that is not on one of the task's projects. Nothing was written.",
        "Add the field to the project in Asana, or map another field.";
    FieldType "MLC-4003" "A mapped field has a type that cannot hold the value",
        "Nothing was written.",
        "Map a field of the named type; a field's type cannot be changed in Asana.";
    FieldCurrency "MLC-4004" "The field's currency is not the order's",
        "A currency field shows every number in its one currency; writing another would be false. Nothing was written.",
        "Map a number field without currency format instead, and `fields.currency` beside it, so that the task still says which currency it is.";
    AmountMissing "MLC-4005" "An amount is missing in the record",
        "Oracle sent null where an amount is needed. Nothing is guessed and nothing was written.",
        "Complete the line in Oracle.";
    NoLines "MLC-4006" "The order has no lines",
        "The amount is the sum of the lines, and there is none. Nothing was written.",
        "Complete the order in Oracle; if it has lines there, the integration user may not see them.";
    TooManyDigits "MLC-4007" "The amount has more digits than Asana keeps",
        "Asana stores numbers with 15 significant digits. The exact amount is in the document and the log.",
        "Split the order in Oracle, or take the field out of `[fields]` if it is an optional one.";
    PrecisionLoss "MLC-4008" "The field's precision would lose decimals",
        "Asana rounds to the field's precision. Nothing was written.",
        "Raise the field's precision in Asana (0 to 6).";
    NoOption "MLC-4009" "The enum field has no such option",
        "Nothing was written.",
        "Add the option to the field in Asana with exactly this name, or map a text field.";
    NumberAmbiguous "MLC-4010" "Several orders share this number, and a task carries it",
        "An order number is unique only within a legal entity. Which order the task stands for cannot be told. Nothing was written.",
        "Route the legal entities or business units to different projects.";
    CurrencyMixed "MLC-4011" "Amounts of different currencies would be added",
        "Nothing was written.",
        "Look at the named record in Oracle.";
    NumberUnreadable "MLC-4012" "A number cannot be computed with exactly",
        "It has more than 28 digits. Its text is kept in the document and the log.",
        "Correct it in Oracle if it is a mistake.";
    FieldReadOnly "MLC-4013" "A mapped field cannot be written",
        "Formula, ID and read-only fields take no values.",
        "Map another field.";
    TemplateFailed "MLC-4014" "The task template fails",
        "The name or notes of the task could not be rendered. Nothing was written.",
        "Mend `tasks.name` or `tasks.notes`.";
    NoTask "MLC-4015" "No task carries the order number, and creating is off",
        "Nothing was written.",
        "Put the order number onto a task in a mapped project, or set `tasks.create = true`.";
    InvoiceAmbiguous "MLC-4016" "The invoice names an order number that several orders share",
        "Neither legal entity nor business unit tells which order is meant. Nothing was written.",
        "Look at the invoice in Oracle; fill in its business unit or legal entity.";
    OutOfAttempts "MLC-4017" "All attempts were used up",
        "The last error stands in the movement's reason. Nothing is lost: the value is sent with the record's next change.",
        "Mend the cause. The record's next change brings the newest state; a change of the connection's settings has every record compared anew.";

    JournalNoOrderNumber "MLC-5101" "The completed task names no purchase order",
        "There is neither a link to an order nor an order number on the task, so there is no cost and no cost center. No journal was made.",
        "Write the order's number into the mapped PO-number field; the completion is then looked at again. A task that was moved out of the connection's projects belongs back into one, or its new project into the routing. A task that has nothing to do with an order needs nothing.";
    JournalOrderUnknown "MLC-5102" "No purchase order has the completed task's number",
        "The number on the task is not that of a stored order. No journal was made.",
        "Correct the number on the task, or give the integration user access to the order's business unit. The completion is looked at again.";
    JournalOrderAmbiguous "MLC-5103" "Several purchase orders have the completed task's number",
        "An order number is unique only within a legal entity, so whose cost it is cannot be told. No journal was made.",
        "Route the legal entities or business units to different projects.";
    JournalLineUnknown "MLC-5104" "The completed task's order line is not on the order",
        "The task stands for one line, and the order no longer has it. No journal was made.",
        "Look at the order in Oracle; the line may have been removed. Complete the task of another line, or post by hand.";
    JournalOrderCanceled "MLC-5105" "The completed task's order is canceled",
        "The status of the order or of its line stands in `journal.canceled_statuses`. No journal was made.",
        "Nothing, if that is right. Otherwise mend the order in Oracle or the list in the settings.";
    JournalNotApproved "MLC-5106" "The approval was not given",
        "An approval task counts as done only when it is approved. No journal was made.",
        "Nothing. Approving it later is a completion of its own.";
    JournalAlreadyPosted "MLC-5107" "The order's or line's cost was posted already",
        "Several tasks carry the same order or line, or one carries the order and another a line of it, and a cost is posted once. The reason names the completion that bears it. No second journal was made.",
        "Nothing. When every task is to carry a cost of its own, map a cost field.";
    JournalNoCost "MLC-5108" "There is no cost to post",
        "The task has no cost of its own, and an amount is missing on the order. Nothing is guessed and no journal was made.",
        "Complete the line in Oracle, or fill in the task's cost field.";
    JournalCostZero "MLC-5109" "The cost is zero",
        "There is nothing to post. No journal was made.",
        "Nothing, if that is right. Otherwise mend the order in Oracle or the task's cost.";
    JournalCostNegative "MLC-5110" "The cost is negative",
        "A completion is never posted as a credit of the whole order. No journal was made.",
        "Post it by hand in Oracle, if it is meant so.";
    JournalNumberUnreadable "MLC-5111" "A number of the order cannot be computed with exactly",
        "It has more digits than are computed with, and money is never rounded. No journal was made.",
        "Correct it in Oracle if it is a mistake; else post by hand.";
    JournalCurrencyMissing "MLC-5112" "The cost has no currency",
        "Neither the task's cost field nor the order says which currency it is. No journal was made.",
        "Complete the order in Oracle, or map a cost field of currency format.";
    JournalCurrencyMixed "MLC-5113" "The order's lines are in several currencies",
        "Their amounts cannot be added. No journal was made.",
        "Look at the named lines in Oracle.";
    JournalCurrencyUnknown "MLC-5114" "The currency's decimals are not known",
        "It is not a currency of ISO 4217 with a smallest unit, so the cost cannot be split exactly. No journal was made.",
        "Set `journal.decimals.CODE`, if the pod knows the currency.";
    JournalNoRateType "MLC-5115" "The cost is in another currency than the ledger",
        "No conversion rate type is set, and Oracle would reject the lines. No journal was made.",
        "Set `journal.rate_type` to the name of a conversion rate type of the pod, such as `Corporate`.";
    JournalNoDistributions "MLC-5116" "An order line has no distribution",
        "Distributions say which account is charged. No journal was made.",
        "Complete the line in Oracle; if it has distributions there, the integration user may not see them.";
    JournalNoChargeAccount "MLC-5117" "A distribution has no charge account",
        "Without it there is no cost center to charge. No journal was made.",
        "Complete the distribution in Oracle.";
    JournalTooManyDecimals "MLC-5118" "The cost has more decimals than its currency",
        "Rounding it would post another cost than the order shows. No journal was made.",
        "Mend the amount in Oracle or on the task; when the pod keeps the currency with more decimals, set `journal.decimals.CODE`.";
    JournalTooLarge "MLC-5119" "An amount is too large to be posted",
        "Amounts of up to 15 digits are posted. No journal was made.",
        "Look for a mistake in the order. A share can also become that large when a line's credit nearly cancels the others.";
    JournalTooManyLines "MLC-5120" "The journal would have too many lines",
        "An order of that many distributions is not posted. No journal was made.",
        "Let tasks stand for order lines (`tasks.per = \"line\"`), or post by hand.";
    JournalAccountUnusable "MLC-5121" "An account cannot be written as segments",
        "The segments of the charge account or the clearing account could not be told apart. No journal was made.",
        "Look at the reason: it names `journal.segment_names`, `routing.account.delimiter` or the account that has another number of segments.";
    JournalPeriodClosed "MLC-5122" "The completion's period takes no entries",
        "The journal waits, as `journal.closed_period = \"hold\"` says.",
        "Open the period in Oracle; the journal is made then. Or set `journal.closed_period = \"next_open\"`.";
    JournalNoOpenPeriod "MLC-5123" "No later period takes entries",
        "The completion's period is closed and none after it is open or future-enterable. The journal waits.",
        "Open a period in Oracle; the journal is made then. If one is open, the integration user may not see the ledger's periods.";
    JournalSettingsWrong "MLC-5124" "The journal settings do not work",
        "They cannot bring a journal as they are.",
        "Mend what the reason names.";
    JournalBeforeStart "MLC-5126" "The task was completed before journals were switched on",
        "Only completions from then on bring a journal, so that a first sweep posts nothing of the past. Nothing was sent.",
        "Nothing. To post it all the same, open the task and complete it again.";
    JournalOrderMismatch "MLC-5127" "The completed task is linked to one order and carries another's number",
        "It is not guessed which order's cost it is. Nothing was sent; the completion is held.",
        "Put the right purchase order number on the task. If it shall stand for the other order, take it off the first: give that order a task of its own.";
    JournalReopened "MLC-5128" "The task was opened again before its journal was sent",
        "Nothing was sent to Oracle for this completion.",
        "Nothing. When the task is completed again, that is a completion of its own.";
    JournalRenumbered "MLC-5129" "The order number was changed after the journal was made",
        "The task carries another order's number than at its completion. The journal stays with the first order.",
        "Nothing, if the journal is right. Otherwise reverse its batch in Oracle, or open the task again with `journal.reopened = \"reverse\"`; completed anew, it counts for the other order.";
    JournalKept "MLC-5130" "The task was opened again, and its journal stays",
        "By `journal.reopened = \"ignore\"` nothing is taken back, and completing the task again brings no second journal of the order's or line's cost.",
        "Nothing, if the journal is right. Otherwise reverse its batch in Oracle. With `journal.reopened = \"reverse\"` that happens by itself, for tasks that are opened again from then on.";
    JournalDefect "MLC-5125" "A check inside the program failed",
        "What was about to be sent is not right, so nothing was sent. The books are untouched.",
        "Please report it with the reason.";

    JournalNotScheduled "MLC-5131" "Oracle did not schedule the import",
        "The upload was answered with the request id -1. No line was loaded.",
        "Check `journal.job`, and that the integration user may run the import. Then open the task and complete it again.";
    JournalRefused "MLC-5132" "Oracle refused the upload",
        "The request was understood and declined. No line was loaded.",
        "Read Oracle's message. Common causes: no access to `journal.document_account`, a missing privilege. Then open the task and complete it again.";
    JournalOutOfAttempts "MLC-5133" "The upload was given up",
        "All attempts were used up. What is known says that no line was loaded.",
        "Mend the cause that the last message names, then open the task and complete it again.";
    JournalLoadFailed "MLC-5134" "Oracle could not load the file",
        "The load job failed before the import. No batch was found.",
        "Read the job's log. Then open the task and complete it again: that brings a journal under a new group id, since lines may be left in the interface.";
    JournalImportFailed "MLC-5135" "The import job failed",
        "The job ended in error without naming a code. No batch was found.",
        "Read the job's log. Then open the task and complete it again: that brings a journal under a new group id, since lines may be left in the interface.";
    JournalImportRejected "MLC-5136" "Oracle rejected the journal's lines",
        "The import named error codes. One bad line rejects the whole journal, and the lines stay in the interface.",
        "Mend what the codes say, delete the lines with Delete Import Data if they disturb, then open the task and complete it again: that brings a journal under a new group id.";
    JournalInDoubt "MLC-5137" "It is not known whether the journal exists",
        "Oracle's answer did not arrive, or an import ended without a batch that can be seen. Nothing is sent again as long as it may exist.",
        "Look in Oracle for a batch whose name holds the group id. Nothing needs to be done when it appears: it is found and adopted. Nothing is sent again by itself unless it is proved that there is none.";
    JournalSlow "MLC-5138" "The import takes unusually long",
        "The job was accepted and has not ended. It is followed on, and nothing is sent a second time.",
        "Look at the job in Oracle's scheduled processes: it may wait for another one, or be on hold.";
    JournalTotalsDiffer "MLC-5139" "The batch's totals are not the journal's",
        "A batch with the group id was found, but its debits or credits are not those that were sent.",
        "Compare the batch in Oracle with the journal before posting it.";
    JournalSeveralBatches "MLC-5140" "Several batches carry the journal's group id",
        "One journal brings one batch. More may mean that lines were imported twice.",
        "Compare the batches in Oracle before posting them; delete or reverse what is too many.";
    JournalImportWarned "MLC-5141" "The journal was imported, and the import warned",
        "The batch is there. The import's log names what it did otherwise than the file says, such as lines that went to the suspense account; codes that it named are explained where the journal is shown.",
        "Look at the batch in Oracle before posting it. Move what went to suspense to its account, and mend what the codes say for the journals to come.";
    JournalLogUnread "MLC-5142" "The journal was imported, and the import's log could not be read",
        "The batch is there. The import may have warned, for instance that lines went to the suspense account, and its log, which would say so, could not be read.",
        "Compare the batch's lines in Oracle with those of the journal before posting it. See that the user may download the logs of import jobs.";
    HookRefused "MLC-5001" "Asana refused to make the webhook",
        "Events of the project do not arrive; the sweep still finds what changed, only later.",
        "Read Asana's message. The integration user must be a member of the project, and the token must be allowed `webhooks:write` and `webhooks:delete`. Asana keeps at most 1,000 webhooks for one resource, over all apps, and 10,000 for one user and app.";
    HookDuplicate "MLC-5002" "Asana has a webhook for this target already",
        "Each registration has a target of its own, so this should not happen. Events of the project do not arrive through the new webhook.",
        "Nothing; the next check deletes what should not be there and registers anew.";
    HookAddress "MLC-5003" "Asana cannot call this public address",
        "Asana delivers only to a public host. Nothing was registered, or Asana refused the target.",
        "Set the public address to an https:// address that reaches this program from the internet, without query, fragment or credentials.";
    HookPlan "MLC-5004" "Webhooks are above the workspace's Asana plan",
        "Events do not arrive; the sweep still finds what changed, only later.",
        "Upgrade the workspace, or go on with the sweep alone.";
    HookNoHandshake "MLC-5005" "Asana's handshake did not arrive here",
        "Before Asana makes a webhook it calls the public address, and this program did not receive that call, or another one answered it.",
        "The public address must lead to a running `serve`. From outside, `curl -i -X POST PUBLIC-ADDRESS/hooks/asana/x` must answer 404 from this program. Look for a firewall, a login page or an old installation behind the address; all nodes behind it must use one database and one key.";
    HookSecret "MLC-5006" "The handshake's secret is not the one in Asana's answer",
        "Somebody else offered a secret to the target while the webhook was made, or Asana's answer names none. The webhook was deleted; nothing signed with the other secret was ever taken.",
        "The next check registers anew. If it happens again, find out who can read the targets: they stand in Asana's list of webhooks and in the logs of proxies.";
    HookBusy "MLC-5007" "The resource is being registered, or is registered",
        "It was not registered a second time.",
        "Nothing; a registration that was begun and never finished is given up after three minutes.";
    HookLost "MLC-5008" "A webhook no longer exists in Asana, or leads elsewhere",
        "Asana deletes a webhook when deliveries failed for 24 hours, and tells nobody; a person may have deleted it, or the token, the key or the public address was changed. It is registered anew, and what changed meanwhile is found by the sweep.",
        "Nothing, if this program was down for a day. Otherwise look why deliveries fail: `last_failure` of the registration says what Asana got for an answer.";
    HookNotStored "MLC-5009" "A delivery could not be stored",
        "It was answered 503, so that Asana sends it again, for up to 24 hours.",
        "Look at the cause that is printed with it; check the database.";
    HookUnreadable "MLC-5010" "A delivery with a good signature cannot be read",
        "Its body is not of the form that Asana documents. It was answered 400, and nothing was stored; the sweep finds what changed.",
        "It is a defect of this program, or Asana changed the form: please report it.";
    HookForged "MLC-5011" "Deliveries with a bad signature arrive",
        "They were refused and nothing was stored. Somebody knows a target, or something between Asana and this program changes bodies.",
        "If no delivery is accepted any more, look for a proxy that changes bodies. Otherwise have the webhook registered anew, which gives it another target.";
    TraceUnknown "MLC-6001" "Neither an order nor a task of that name is known",
        "The connection has read no order of that number, and no such task stands in its projects, was linked or was completed.",
        "Check the number (as Oracle shows it, with its leading zeros) or the task's gid, the last part of its address. An order that is new is read with the next poll.";
    ReplayOlder "MLC-6501" "The record has changed since this movement",
        "Oracle's record is another one now, so what the movement carried would put old values back into Asana. Nothing was sent again.",
        "Nothing, as a rule: the newer record has a movement of its own (`movements list NAME --po NUMBER`). To show the old values all the same, replay with `--older`; an alert then says so until the record moves again.";
    ReplayTooEarly "MLC-6502" "The movement has not come to an end",
        "It is waiting, being sent or in doubt. It goes on by itself, and what is in doubt is looked up in Asana first; a replay could make a second task. Nothing was sent again.",
        "Wait; `movements show NAME ID` says when it is tried again.";
    ReplayUnderWay "MLC-6503" "The record has another movement under way",
        "A newer movement, or a replay, of the same record is open, or the record is being stored at this moment. Two at once could arrive in either order. Nothing was sent again.",
        "Wait for it: `movements list NAME --po NUMBER`. If it is not needed then, there is nothing to do.";
    ReplayEmpty "MLC-6504" "Nothing is kept of the movement's record",
        "A movement keeps the record from when it is first taken up, and as long as the log keeps bodies. There is nothing to send again.",
        "`reconcile NAME` compares the record with Asana as it is now, and puts right what differs.";
    EditUnfit "MLC-6505" "The edited record cannot be used",
        "It is no JSON, not a record of its kind, or has another id. Nothing was stored.",
        "Mend what the message names. The id and the kind of a record cannot be changed; amounts are written as Oracle writes them.";
    EditOutdated "MLC-6506" "The edit was made from another text",
        "The movement has taken up a newer record since it was edited. The edit is kept, but not sent.",
        "Edit it again: `movements edit NAME ID`.";
    ReplayDeviates "MLC-6507" "Asana shows a replayed record that is not Oracle's newest",
        "A person sent an edited or an older record again. Asana's tasks show its values until the record changes in Oracle or is reconciled.",
        "If that is not wanted any more, `reconcile NAME` puts Oracle's values back.";
    MovementUnknown "MLC-6508" "There is no such movement",
        "Nothing was changed.",
        "`movements list NAME` shows the ids.";
    DiscardUnfit "MLC-6509" "Only a movement that is held or failed can be discarded",
        "What is delivered has happened, and what is under way goes on by itself. Nothing was changed.",
        "`movements show NAME ID` says where it stands.";
    ExportUnwritable "MLC-6002" "The export cannot be written",
        "The file, or the disk it is on, refused. What was written so far is not the whole log.",
        "Look at the cause that is printed with it, name a file in a directory that this program may write to, and export again.";
    FieldsUnmapped "MLC-8101" "Required Asana fields are not mapped yet",
        "A draft may lack them, but nothing is read or written before PO number, supplier, invoice status and line-item amount each have a field.",
        "Run `ml-connector connection provision NAME`, which shows what it would create and asks first; or write the gids of existing fields into `[fields]`.";
    FieldConflict "MLC-8102" "A custom field of that name cannot be used",
        "The workspace or a mapped project has a field of the same name that is of another type, or belongs to one project only. It is never taken over, since its values would change their meaning, and Asana allows no second one of the name. Nothing was created.",
        "Rename the field in Asana, give another name with `--name PURPOSE=NAME`, or write the gid of the field that should be used into `[fields]`.";
    FieldLimit "MLC-8103" "A project has no room for another custom field",
        "Asana limits the custom fields of a project; its specification says 20, and private fields that cannot be seen count too. What was created stands in the workspace's library and is found again by its name; the connection's settings were not changed.",
        "Take unused fields off the project in Asana, or ask for fewer optional ones, then provision again.";
    FieldPlan "MLC-8104" "Custom fields need a paid Asana plan",
        "The workspace is on a free plan, or the token belongs to a guest. Without custom fields no task can show anything. Nothing was created.",
        "Upgrade the workspace, or use one with a paid plan and a token of a member of it.";
    FieldNotCreated "MLC-8105" "Asana did not create a custom field",
        "What was created before it stands in the workspace's library and is found again by its name; the connection's settings were not changed.",
        "Look at Asana's words that are printed with it: the token's user may lack the right to create fields or to edit the project, or the name is that of a built-in property. Then provision again.";
    SecretUnreadable "MLC-8106" "A secret that the file refers to cannot be read",
        "The environment variable is not set, or the file cannot be read or is empty. Nothing was changed.",
        "Set the variable or write the file, readable by this program alone; or leave the entry out to keep the stored secret.";
    DryRunMissing "MLC-8107" "The first activation needs a dry run",
        "Nobody has seen yet what the first synchronisation would write with the present settings. The connection stays as it was.",
        "Run `ml-connector connection dry-run NAME` without --since and --limit, look at what it shows, and activate again; or say `--without-dry-run`.";
    DryRunBroken "MLC-8108" "The dry run could not keep its records aside",
        "A dry run keeps what it reads in a temporary file, since it writes nothing to the database. That file could not be written or read.",
        "Look at the cause that is printed with it; make room in the temporary directory, or name another one with TMPDIR.";
    DryRunReport "MLC-8109" "The report cannot be written",
        "The dry run itself was made; only its file is missing.",
        "Name a file in a directory that this program may write to.";
    ReconcileUnseen "MLC-4501" "A mapped project cannot be listed, so missing tasks are not judged",
        "Tasks that were not listed may stand in the project that Asana does not show. None of them is taken for deleted.",
        "Give the token's user access to the project, or take the project out of the routing, and compare again.";
    ReconcileRemoved "MLC-4502" "Oracle no longer shows a record that is stored",
        "The record was removed in Oracle, or the user lost sight of it. Its values still stand in Asana.",
        "Look the record up in Oracle. An invoice that was removed is forgotten by `ml-connector reconcile NAME`; of an order, delete the task in Asana, and the next reconciliation forgets the link.";
    ReconcileManyRemoved "MLC-4503" "So many records are missing in Oracle that the user seems to have lost sight of them",
        "A large part of what is stored is not there any more. None of it was forgotten, since a lost role or business unit looks the same.",
        "Check the Oracle user's data access. What was really removed can then be told apart; see docs/reconcile.md.";
    ReconcileDuplicate "MLC-4504" "Two tasks were made for one order",
        "Both tasks carry the order's key in their notes, and both get the values. Nothing is deleted in Asana by the program.",
        "Keep the one that people work with and delete the other in Asana.";
    ReconcileElsewhere "MLC-4505" "A linked task stands in no mapped project",
        "Somebody took the task out of the mapped projects, or the token's user may no longer see it. It exists, but its values cannot be kept.",
        "Put the task back into a mapped project, or delete it; then the order gets a new one as the settings say.";
    ReconcileCompletion "MLC-4506" "A completion has neither a journal nor a reason",
        "A completed task brought no journal, and nothing says why. This must never happen.",
        "Look at it with `ml-connector journals show TASK` and report it; the journal can be made by opening the task and completing it again.";
    ReconcileBatch "MLC-4507" "A journal that is said to be imported is not in Oracle",
        "Its batch is not found under its id. Somebody deleted the batch in General Ledger, or the user lost sight of the ledger.",
        "Look the batch up in General Ledger. The connector does not send a journal again by itself once it was imported.";
    AlertUnknown "MLC-7001" "The connection has no open alert of that id",
        "Nothing was changed. An alert that is closed cannot be acknowledged any more.",
        "`alerts list NAME` shows the open ones, and with `--all` those that are closed too. Alerts about nodes belong to no connection: `alerts list --nodes`.";
    ReferenceShrunk "MLC-8001" "Oracle shows far fewer suppliers or accounts than before",
        "A user who lost access is answered with fewer rows and no error. What was read is stored; what was not shown is not marked as gone.",
        "Check what the integration user may see. If so much was really removed, remove the connection and add it anew; until then the old rows stay.";
    TooManyOptions "MLC-8002" "A field would need more options than Asana allows",
        "Asana allows 500 options in a field, disabled ones included, and an option is never deleted. No option was made, renamed or switched. A value for which there is no option goes to the text field in `reference.text`, or its movement is held.",
        "Map a text field instead, or name a text field in `reference.text`. A field full of disabled options can be replaced by a new one.";
    OptionsInUse "MLC-8003" "Only the options that orders name are kept",
        "All suppliers or accounts that may be used do not fit into the field: Asana allows 500 options, disabled ones included. Those that stored orders name have options; the others cannot be chosen on a task.",
        "Nothing, if people only choose what orders name. Else map a text field.";
    OptionsField "MLC-8004" "A field whose options are to be kept is no single-select field",
        "The field in `reference.options` is on no mapped project, is of another type, or cannot be written. Its options were not touched.",
        "Map a single-select field that stands on the mapped projects, or take the purpose out of `reference.options`.";
    ReferenceNoChart "MLC-8005" "It is not known which chart of accounts to read",
        "Account combinations are read for one chart of accounts, and neither `reference.chart_of_accounts` nor a ledger in `[journal]` tells which, or Oracle does not show the ledger. No account was read.",
        "Set `reference.chart_of_accounts` to the chart's number, as `ledgersLOV` shows it.";
    ReferenceMoved "MLC-8006" "Rows moved while they were read",
        "Oracle documents no order for these rows. One came twice, so another may have been missed. What was read is stored; nothing is marked as gone.",
        "Nothing: it is read again. If it happens every time, read while nobody changes accounts.";
    ChannelUnknown "MLC-7002" "The connection has no alert channel of that name",
        "Nothing was sent, and nothing is sent to it any more.",
        "The channels stand in the settings under `[[alerts.channels]]`: `connection show NAME`.";
    ChannelUnfit "MLC-7003" "An alert channel's settings cannot be used",
        "Nothing was sent. The settings were stored by another version of this program.",
        "Correct the channel under `[[alerts.channels]]` with `connection edit`.";
    ChannelSecret "MLC-7004" "An alert channel's secret is missing or unfit",
        "Nothing was sent. A webhook needs a signing secret that begins with `whsec_`, a Slack channel its hook's https address, and mail with a user a password.",
        "Store it: `alerts secret NAME --channel CHANNEL --file FILE`.";
    ChannelUnreachable "MLC-7005" "A receiver of alerts cannot be reached",
        "The message is kept and sent again, with growing waits, for a day; then it is given up.",
        "Check the address, the mail server and the firewall; then `alerts test NAME CHANNEL`.";
    ChannelRefused "MLC-7006" "A receiver of alerts refuses the message",
        "It answered with a failure, or with a redirect, which is not followed. The message is kept and sent again, with growing waits, for a day; then it is given up.",
        "Check the address and the secret at the receiver; then `alerts test NAME CHANNEL`.";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.info().code)
    }
}

impl Code {
    /// Finds a code by its name, in any case, with or without `MLC-`.
    #[must_use]
    pub fn find(name: &str) -> Option<Code> {
        let name = name.trim().to_ascii_uppercase();
        let full = if name.starts_with("MLC-") { name } else { format!("MLC-{name}") };
        Code::ALL.iter().copied().find(|c| c.info().code == full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_says_what_to_do() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            let info = code.info();
            assert!(seen.insert(info.code), "{} stands twice", info.code);
            assert!(info.code.len() == 8 && info.code.starts_with("MLC-"), "{}", info.code);
            assert!(!info.title.is_empty() && !info.meaning.is_empty() && !info.remedy.is_empty());
            assert_eq!(Code::find(info.code), Some(*code));
        }
    }

    /// Every code a person can meet, with its texts: this crate's and the private server's.
    fn all() -> Vec<CodeInfo> {
        let server = embedded_postgres::CODES.iter();
        let mut all: Vec<CodeInfo> = server
            .map(|i| CodeInfo { code: i.code, title: i.title, meaning: i.meaning, remedy: i.remedy })
            .chain(Code::ALL.iter().map(|code| code.info()))
            .collect();
        all.sort_by_key(|info| info.code);
        all
    }

    /// What the hundreds of a code's number stand for.
    const RANGES: &[(&str, &str)] = &[
        ("11", "The private PostgreSQL server"),
        ("12", "This program: key, credentials, settings, database, leases"),
        ("13", "Calling both sides: limits, and a side that keeps failing"),
        ("20", "Oracle: nothing was read, or not all"),
        ("30", "Asana: reading tasks and writing them"),
        ("40", "Mapping: why a movement is held or was given up"),
        ("45", "Reconciliation: what differs and needs a person"),
        ("50", "Asana's webhooks: events that do not arrive, or are refused"),
        ("51", "Journals: why there is none, and what became of one"),
        ("60", "The record log"),
        ("70", "Alerts"),
        ("80", "Reference data: suppliers, accounts, and the options that stand for them"),
        ("81", "Setting a connection up: fields, the connection's file, the dry run"),
    ];

    const AGAIN: &str = "A held movement is planned again with the record's next change, after an hour, and at \
                         once by `ml-connector poll NAME`.\n\n";

    /// All codes of the mapping hold a movement but the last, and so do a right that is missing, a task that
    /// is gone and a record that cannot be read.
    fn holds(code: &str) -> bool {
        [Code::RecordUnreadable, Code::AsanaForbidden, Code::TaskGone].iter().any(|c| c.info().code == code)
            || (code.starts_with("MLC-40") && code != Code::OutOfAttempts.info().code)
    }

    fn page(info: CodeInfo) -> String {
        format!(
            "# {}: {}\n\n## What it means\n\n{}\n\n## What to do\n\n{}\n\n\
             {}`ml-connector explain {}` prints this text. [All codes](README.md)\n",
            info.code,
            info.title,
            info.meaning,
            info.remedy,
            if holds(info.code) { AGAIN } else { "" },
            info.code
        )
    }

    fn index() -> String {
        let mut text = "# Error codes\n\nCodes stand in messages, on movements and on the status page. \
                        A code is never reused and never changes its meaning.\n"
            .to_owned();
        for (range, what) in RANGES {
            text.push_str(&format!("\n## MLC-{range}..: {what}\n\n| code | what happened |\n|---|---|\n"));
            for info in all().iter().filter(|info| info.code[4..].starts_with(range)) {
                text.push_str(&format!("| [{}]({}.md) | {} |\n", info.code, info.code, info.title));
            }
        }
        text.push_str(
            "\nThese pages are generated from the list in the code: `crates/connector/src/code.rs`.\n",
        );
        text
    }

    /// To write the pages anew: `UPDATE_DOCS=1 cargo test -p connector --lib code`.
    #[test]
    fn the_pages_in_docs_say_what_the_program_says() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        let mut wanted: std::collections::BTreeMap<String, String> =
            all().into_iter().map(|info| (format!("{}.md", info.code), page(info))).collect();
        for info in all() {
            let listed = RANGES.iter().filter(|(range, _)| info.code[4..].starts_with(range)).count();
            assert_eq!(listed, 1, "{} belongs to no part of the index", info.code);
        }
        wanted.insert("README.md".to_owned(), index());
        let update = std::env::var_os("UPDATE_DOCS").is_some();
        if update {
            std::fs::create_dir_all(&directory).unwrap();
            for (name, text) in &wanted {
                std::fs::write(directory.join(name), text).unwrap();
            }
        }
        let entries = std::fs::read_dir(&directory).unwrap();
        let mut found = std::collections::BTreeMap::new();
        for path in entries.map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(wanted.contains_key(&name), "{name} stands for no code: delete it");
            found.insert(name, std::fs::read_to_string(&path).unwrap());
        }
        for (name, text) in &wanted {
            assert_eq!(
                found.get(name),
                Some(text),
                "docs/errors/{name} differs from the list; write it anew with \
                 `UPDATE_DOCS=1 cargo test -p connector --lib code`"
            );
        }
    }
}
