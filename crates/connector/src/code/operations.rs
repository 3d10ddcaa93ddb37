//! The record log, and alerts.

macro_rules! operations {
    ([$next:ident $($after:ident)*] $($before:tt)*) => {
        $next! { [$($after)*] $($before)*
            TraceUnknown Usage "MLC-6001" "Neither an order nor a task of that name is known",
                "The connection has read no order of that number, and no such task stands in its projects, was linked or was completed.",
                "Check the number (as Oracle shows it, with its leading zeros) or the task's gid, the last part of its address. An order that is new is read with the next poll.";
            ExportUnwritable Usage "MLC-6002" "The export cannot be written",
                "The file, or the disk it is on, refused. What was written so far is not the whole log.",
                "Look at the cause that is printed with it, name a file in a directory that this program may write to, and export again.";
            SearchEmpty Usage "MLC-6601" "There is nothing to search for",
                "A search goes by letters and digits, and one of the texts that were given has none. Nothing was looked for.",
                "Give a word or a number, or the beginning of one: `search NAME acme`, `search NAME --po US165121`.";
            MovementErased MissingReference "MLC-6602" "The movement's record was erased",
                "Somebody had what names a supplier or a person taken out of the log. Of the movement its times, ids, state and code are kept, but no record that could be shown, edited or sent again. Nothing was sent.",
                "`reconcile NAME` compares the record with Asana as it is now, and puts right what differs. `erase NAME` tells who had it erased, and when.";
            EraseTooShort Usage "MLC-6603" "That is too short to be looked for",
                "A name of one or two letters stands in too many texts that mean something else. Nothing was erased.",
                "Give the whole name, the e-mail address, or the supplier's number or id.";
            EraseUnknown Usage "MLC-6604" "The connection knows no supplier of that number or id",
                "Neither the stored list of suppliers nor a stored record has it. Nothing was erased.",
                "Give the supplier's name as Oracle shows it; `reference show NAME WORD` looks in the stored list.";
            EraseOpen Notice "MLC-6605" "Something that is still under way was not erased",
                "What waits, is being sent, is held or in doubt, and journals on their way, are left as they are, since taking their texts away could break a posting or lose a value.",
                "Wait until they have come to an end, or discard what is held, and give the same command again. Times, amounts and states are not touched by it, and what is erased stays so.";
            AlertUnknown Usage "MLC-7001" "The connection has no open alert of that id",
                "Nothing was changed. An alert that is closed cannot be acknowledged any more.",
                "`alerts list NAME` shows the open ones, and with `--all` those that are closed too. Alerts about nodes belong to no connection: `alerts list --nodes`.";
            ChannelUnknown Usage "MLC-7002" "The connection has no alert channel of that name",
                "Nothing was sent, and nothing is sent to it any more.",
                "The channels stand in the settings under `[[alerts.channels]]`: `connection show NAME`.";
            ChannelUnfit Settings "MLC-7003" "An alert channel's settings cannot be used",
                "Nothing was sent. The settings were stored by another version of this program.",
                "Correct the channel under `[[alerts.channels]]` with `connection edit`.";
            ChannelSecret Credential "MLC-7004" "An alert channel's secret is missing or unfit",
                "Nothing was sent. A webhook needs a signing secret that begins with `whsec_`, a Slack channel its hook's https address, and mail with a user a password.",
                "Store it: `alerts secret NAME --channel CHANNEL --file FILE`.";
            ChannelUnreachable Connection "MLC-7005" "A receiver of alerts cannot be reached",
                "The message is kept and sent again, with growing waits, for a day; then it is given up.",
                "Check the address, the mail server and the firewall; then `alerts test NAME CHANNEL`.";
            ChannelRefused Connection "MLC-7006" "A receiver of alerts refuses the message",
                "It answered with a failure, or with a redirect, which is not followed. The message is kept and sent again, with growing waits, for a day; then it is given up.",
                "Check the address and the secret at the receiver; then `alerts test NAME CHANNEL`.";
        }
    };
}
