//! Why there is no journal, and what became of one.

macro_rules! journals {
    ([$next:ident $($after:ident)*] $($before:tt)*) => {
        $next! { [$($after)*] $($before)*
            JournalNoOrderNumber Value "MLC-5101" "The completed task names no purchase order",
                "There is neither a link to an order nor an order number on the task, so there is no cost and no cost center. No journal was made.",
                "Write the order's number into the mapped PO-number field; the completion is then looked at again. A task that was moved out of the connection's projects belongs back into one, or its new project into the routing. A task that has nothing to do with an order needs nothing.";
            JournalOrderUnknown MissingReference "MLC-5102" "No purchase order has the completed task's number",
                "The number on the task is not that of a stored order. No journal was made.",
                "Correct the number on the task, or give the integration user access to the order's business unit. The completion is looked at again.";
            JournalOrderAmbiguous Conflict "MLC-5103" "Several purchase orders have the completed task's number",
                "An order number is unique only within a legal entity, so whose cost it is cannot be told. No journal was made.",
                "Route the legal entities or business units to different projects.";
            JournalLineUnknown MissingReference "MLC-5104" "The completed task's order line is not on the order",
                "The task stands for one line, and the order no longer has it. No journal was made.",
                "Look at the order in Oracle; the line may have been removed. Complete the task of another line, or post by hand.";
            JournalOrderCanceled Notice "MLC-5105" "The completed task's order is canceled",
                "The status of the order or of its line stands in `journal.canceled_statuses`. No journal was made.",
                "Nothing, if that is right. Otherwise mend the order in Oracle or the list in the settings.";
            JournalNotApproved Notice "MLC-5106" "The approval was not given",
                "An approval task counts as done only when it is approved. No journal was made.",
                "Nothing. Approving it later is a completion of its own.";
            JournalAlreadyPosted Conflict "MLC-5107" "The order's or line's cost was posted already",
                "Several tasks carry the same order or line, or one carries the order and another a line of it, and a cost is posted once. Or another connection posted it: the same task of the same Asana, or the same order or line of the same ledger. The reason names the completion that bears the cost, and says when its journal is only on its way. No second journal was made.",
                "Nothing. When every task is to carry a cost of its own, map a cost field. What another connection bears is looked at again every five minutes while its journal is on its way, and once an hour afterwards; a completion that waits for more than an hour is held: see to that connection's journal.";
            JournalNoCost Value "MLC-5108" "There is no cost to post",
                "The task has no cost of its own, and an amount is missing on the order. Nothing is guessed and no journal was made.",
                "Complete the line in Oracle, or fill in the task's cost field.";
            JournalCostZero Value "MLC-5109" "The cost is zero",
                "There is nothing to post. No journal was made.",
                "Nothing, if that is right. Otherwise mend the order in Oracle or the task's cost.";
            JournalCostNegative Value "MLC-5110" "The cost is negative",
                "A completion is never posted as a credit of the whole order. No journal was made.",
                "Post it by hand in Oracle, if it is meant so.";
            JournalNumberUnreadable Value "MLC-5111" "A number of the order cannot be computed with exactly",
                "It has more digits than are computed with, and money is never rounded. No journal was made.",
                "Correct it in Oracle if it is a mistake; else post by hand.";
            JournalCurrencyMissing Value "MLC-5112" "The cost has no currency",
                "Neither the task's cost field nor the order says which currency it is. No journal was made.",
                "Complete the order in Oracle, or map a cost field of currency format.";
            JournalCurrencyMixed Value "MLC-5113" "The order's lines are in several currencies",
                "Their amounts cannot be added. No journal was made.",
                "Look at the named lines in Oracle.";
            JournalCurrencyUnknown Value "MLC-5114" "The currency's decimals are not known",
                "It is not a currency of ISO 4217 with a smallest unit, so the cost cannot be split exactly. No journal was made.",
                "Set `journal.decimals.CODE`, if the pod knows the currency.";
            JournalNoRateType Settings "MLC-5115" "The cost is in another currency than the ledger",
                "No conversion rate type is set, and Oracle would reject the lines. No journal was made.",
                "Set `journal.rate_type` to the name of a conversion rate type of the pod, such as `Corporate`.";
            JournalNoDistributions Value "MLC-5116" "An order line has no distribution",
                "Distributions say which account is charged. No journal was made.",
                "Complete the line in Oracle; if it has distributions there, the integration user may not see them.";
            JournalNoChargeAccount Value "MLC-5117" "A distribution has no charge account",
                "Without it there is no cost center to charge. No journal was made.",
                "Complete the distribution in Oracle.";
            JournalTooManyDecimals Value "MLC-5118" "The cost has more decimals than its currency",
                "Rounding it would post another cost than the order shows. No journal was made.",
                "Mend the amount in Oracle or on the task; when the pod keeps the currency with more decimals, set `journal.decimals.CODE`.";
            JournalTooLarge TooLarge "MLC-5119" "An amount is too large to be posted",
                "Amounts of up to 15 digits are posted. No journal was made.",
                "Look for a mistake in the order. A share can also become that large when a line's credit nearly cancels the others.";
            JournalTooManyLines TooLarge "MLC-5120" "The journal would have too many lines",
                "An order of that many distributions is not posted. No journal was made.",
                "Let tasks stand for order lines (`tasks.per = \"line\"`), or post by hand.";
            JournalAccountUnusable Value "MLC-5121" "An account cannot be written as segments",
                "The segments of the charge account or the clearing account could not be told apart. No journal was made.",
                "Look at the reason: it names `journal.segment_names`, `routing.account.delimiter` or the account that has another number of segments.";
            JournalPeriodClosed RejectedByOracle "MLC-5122" "The completion's period takes no entries",
                "The journal waits, as `journal.closed_period = \"hold\"` says.",
                "Open the period in Oracle; the journal is made then. Or set `journal.closed_period = \"next_open\"`.";
            JournalNoOpenPeriod RejectedByOracle "MLC-5123" "No later period takes entries",
                "The completion's period is closed and none after it is open or future-enterable. The journal waits.",
                "Open a period in Oracle; the journal is made then. If one is open, the integration user may not see the ledger's periods.";
            JournalSettingsWrong Settings "MLC-5124" "The journal settings do not work",
                "They cannot bring a journal as they are.",
                "Mend what the reason names.";
            JournalBeforeStart Notice "MLC-5126" "The task was completed before journals were switched on",
                "Only completions from then on bring a journal, so that a first sweep posts nothing of the past. Nothing was sent.",
                "Nothing. To post it all the same, open the task and complete it again.";
            JournalOrderMismatch Conflict "MLC-5127" "The completed task is linked to one order and carries another's number",
                "It is not guessed which order's cost it is. Nothing was sent; the completion is held.",
                "Put the right purchase order number on the task. If it shall stand for the other order, take it off the first: give that order a task of its own.";
            JournalReopened Notice "MLC-5128" "The task was opened again before its journal was sent",
                "Nothing was sent to Oracle for this completion.",
                "Nothing. When the task is completed again, that is a completion of its own.";
            JournalRenumbered Conflict "MLC-5129" "The order number was changed after the journal was made",
                "The task carries another order's number than at its completion. The journal stays with the first order.",
                "Nothing, if the journal is right. Otherwise reverse its batch in Oracle, or open the task again with `journal.reopened = \"reverse\"`; completed anew, it counts for the other order.";
            JournalKept Notice "MLC-5130" "The task was opened again, and its journal stays",
                "By `journal.reopened = \"ignore\"` nothing is taken back, and completing the task again brings no second journal of the order's or line's cost.",
                "Nothing, if the journal is right. Otherwise reverse its batch in Oracle. With `journal.reopened = \"reverse\"` that happens by itself, for tasks that are opened again from then on.";
            JournalDefect Internal "MLC-5125" "A check inside the program failed",
                "What was about to be sent is not right, so nothing was sent. The books are untouched.",
                "Please report it with the reason.";
            JournalNotScheduled Connection "MLC-5131" "Oracle did not schedule the import",
                "The upload was answered with the request id -1. No line was loaded.",
                "Check `journal.job`, and that the integration user may run the import. Then `journals replay NAME ID` sends the journal anew.";
            JournalRefused RejectedByOracle "MLC-5132" "Oracle refused the upload",
                "The request was understood and declined. No line was loaded.",
                "Read Oracle's message. Common causes: no access to `journal.document_account`, a missing privilege. Then `journals replay NAME ID` sends the journal anew.";
            JournalOutOfAttempts Connection "MLC-5133" "The upload was given up",
                "All attempts were used up. What is known says that no line was loaded.",
                "Mend the cause that the last message names. Then `journals replay NAME ID` sends the journal anew, after it was looked for once more.";
            JournalLoadFailed RejectedByOracle "MLC-5134" "Oracle could not load the file",
                "The load job failed before the import. No batch was found.",
                "Read the job's log (`journals show NAME ID --full`) and mend the cause. Then `journals replay NAME ID` sends the journal anew, under a new group id, since lines may be left in the interface.";
            JournalImportFailed RejectedByOracle "MLC-5135" "The import job failed",
                "The job ended in error without naming a code. No batch was found.",
                "Read the job's log (`journals show NAME ID --full`) and mend the cause. Then `journals replay NAME ID` sends the journal anew, under a new group id, since lines may be left in the interface.";
            JournalImportRejected RejectedByOracle "MLC-5136" "Oracle rejected the journal's lines",
                "The import named error codes. One bad line rejects the whole journal, and the lines stay in the interface.",
                "Mend what the codes say, and delete the lines with Delete Import Data if they disturb. Then `journals replay NAME ID` sends the journal anew as it was planned, under a new group id. Where the plan itself is wrong (an amount, an account), mend that instead, open the task and complete it again.";
            JournalInDoubt InDoubt "MLC-5137" "It is not known whether the journal exists",
                "Oracle's answer did not arrive, or an import ended without a batch that can be seen. Nothing is sent again as long as it may exist.",
                "Look in Oracle for a batch whose name holds the group id. Nothing needs to be done when it appears: it is found and adopted. Nothing is sent again by itself unless it is proved that there is none. When it does not settle by itself, decide it: `journals resolve NAME ID --posted BATCH-ID`, or `journals resolve NAME ID --not-posted --send-anew`, or with `--give-up` in place of the last. With `--preview` it only shows what Oracle says to that.";
            JournalSlow Notice "MLC-5138" "The import takes unusually long",
                "The job was accepted and has not ended. It is followed on, and nothing is sent a second time.",
                "Look at the job in Oracle's scheduled processes: it may wait for another one, or be on hold.";
            JournalTotalsDiffer InDoubt "MLC-5139" "The batch's totals are not the journal's",
                "A batch with the group id was found, but its debits or credits are not those that were sent.",
                "Compare the batch in Oracle with the journal before posting it.";
            JournalSeveralBatches InDoubt "MLC-5140" "Several batches carry the journal's group id",
                "One journal brings one batch. More may mean that lines were imported twice.",
                "Compare the batches in Oracle before posting them; delete or reverse what is too many.";
            JournalImportWarned Notice "MLC-5141" "The journal was imported, and the import warned",
                "The batch is there. The import's log names what it did otherwise than the file says, such as lines that went to the suspense account; codes that it named are explained where the journal is shown.",
                "Look at the batch in Oracle before posting it. Move what went to suspense to its account, and mend what the codes say for the journals to come.";
            JournalLogUnread InDoubt "MLC-5142" "The journal was imported, and the import's log could not be read",
                "The batch is there. The import may have warned, for instance that lines went to the suspense account, and its log, which would say so, could not be read.",
                "Compare the batch's lines in Oracle with those of the journal before posting it. See that the user may download the logs of import jobs.";
            JournalSubjectUnknown Usage "MLC-6510" "Neither an order, a task, a completion nor a journal of that name is known",
                "Nothing was changed.",
                "`journals list NAME` shows the completions with their journals. A task's gid stands in its address in Asana; an order is known once it was polled.";
            JournalReplayImported Conflict "MLC-6511" "The journal is in Oracle already",
                "Its batch exists, and a second one would post the cost twice. Nothing was sent.",
                "Nothing. To take the journal back, open the task again: by the settings it is reversed then.";
            JournalReplayUnderWay Conflict "MLC-6512" "The journal is under way",
                "It is waiting to be sent, being sent, or followed in Oracle. It goes on by itself. Nothing was sent.",
                "Wait; `journals show NAME ID` says where it stands and when it is looked at next.";
            JournalReplayInDoubt InDoubt "MLC-6513" "A journal in doubt is not sent again on a word",
                "It may be in Oracle, and a second one would post the cost twice. It is looked for, and sent again by itself only once it is proved that there is none. Nothing was sent.",
                "Wait, or look in Oracle for a batch whose name holds one of its group ids, which `journals show NAME ID` tells. Then decide it: `journals resolve NAME ID --posted BATCH-ID` when there is one, `journals resolve NAME ID --not-posted --send-anew` when there is none; either is checked in Oracle first.";
            JournalReplayReopened Conflict "MLC-6514" "The journal was withdrawn, or its task opened again",
                "A task that is open, or was opened again since, is not to bring this completion's journal any more, and neither does one that a person gave up. Nothing was sent.",
                "Open the task if it is complete, and complete it again: that brings a journal of its own.";
            JournalReplayReversal Usage "MLC-6515" "A reversal is not sent again",
                "The journal takes another one back. Nothing was sent.",
                "Mend what its code says, and reverse the batch in Oracle by hand.";
        }
    };
}
