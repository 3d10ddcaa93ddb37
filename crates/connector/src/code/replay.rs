//! Sending movements again.

macro_rules! replay {
    ([$next:ident $($after:ident)*] $($before:tt)*) => {
        $next! { [$($after)*] $($before)*
            ReplayOlder Conflict "MLC-6501" "The record has changed since this movement",
                "Oracle's record is another one now, so what the movement carried would put old values back into Asana. Nothing was sent again.",
                "Nothing, as a rule: the newer record has a movement of its own (`movements list NAME --po NUMBER`). To show the old values all the same, replay with `--older`; an alert then says so until the record moves again.";
            ReplayTooEarly Conflict "MLC-6502" "The movement has not come to an end",
                "It is waiting, being sent or in doubt. It goes on by itself, and what is in doubt is looked up in Asana first; a replay could make a second task. Nothing was sent again.",
                "Wait; `movements show NAME ID` says when it is tried again.";
            ReplayUnderWay Conflict "MLC-6503" "The record has another movement under way",
                "A newer movement, or a replay, of the same record is open, or the record is being stored at this moment. Two at once could arrive in either order. Nothing was sent again.",
                "Wait for it: `movements list NAME --po NUMBER`. If it is not needed then, there is nothing to do.";
            ReplayEmpty MissingReference "MLC-6504" "Nothing is kept of the movement's record",
                "A movement keeps the record from when it is first taken up, and as long as the log keeps bodies. There is nothing to send again.",
                "`reconcile NAME` compares the record with Asana as it is now, and puts right what differs.";
            EditUnfit Value "MLC-6505" "The edited record cannot be used",
                "It is no JSON, not a record of its kind, or has another id. Nothing was stored.",
                "Mend what the message names. The id and the kind of a record cannot be changed; amounts are written as Oracle writes them.";
            EditOutdated Conflict "MLC-6506" "The edit was made from another text",
                "The movement has taken up a newer record since it was edited. The edit is kept, but not sent.",
                "Edit it again: `movements edit NAME ID`.";
            ReplayDeviates Notice "MLC-6507" "Asana shows a replayed record that is not Oracle's newest",
                "A person sent an edited or an older record again. Asana's tasks show its values until the record changes in Oracle or is reconciled.",
                "If that is not wanted any more, `reconcile NAME` puts Oracle's values back.";
            MovementUnknown Usage "MLC-6508" "There is no such movement",
                "Nothing was changed.",
                "`movements list NAME` shows the ids.";
            DiscardUnfit Usage "MLC-6509" "Only a movement that is held or failed can be discarded",
                "What is delivered has happened, and what is under way goes on by itself. Nothing was changed.",
                "`movements show NAME ID` says where it stands.";
        }
    };
}
