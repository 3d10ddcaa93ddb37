//! Deciding journals in doubt.

macro_rules! resolve {
    ([$next:ident $($after:ident)*] $($before:tt)*) => {
        $next! { [$($after)*] $($before)*
            JournalNotInDoubt Conflict "MLC-6516" "Only a journal in doubt is resolved",
                "The journal has an end already, or goes on by itself. Nothing was changed.",
                "`journals show NAME ID` says where it stands and when it is looked at next.";
            JournalResolveRejected Usage "MLC-6517" "A rejected journal is not in doubt",
                "Oracle did not take it, and it bears no cost. Nothing was changed.",
                "Mend what its code says, then send it anew: `journals replay NAME ID --preview`, and `journals replay NAME ID`.";
            JournalBatchNotIts Conflict "MLC-6518" "The batch is none of the journal's",
                "No batch of that id that the integration user can see carries one of the journal's group ids in its name. Nothing is taken on a word, so nothing was changed.",
                "Compare the batch's name in Oracle with the journal's group ids, which `journals show NAME ID` tells. A batch is named by its JeBatchId, not by its name. If the name carries one, let the integration user see the batch's ledger. If there is none, `journals resolve NAME ID --not-posted --send-anew`, or `--give-up` in place of the last.";
            JournalBatchExists Conflict "MLC-6519" "A batch of the journal is in Oracle",
                "A batch carries one of the journal's group ids, so it is not sent again and not given up. Nothing was changed.",
                "Look at the named batch in Oracle. Then `journals resolve NAME ID --posted BATCH-ID` takes it as the journal's; the program finds it by itself at its next look, too.";
            JournalNotSettled InDoubt "MLC-6520" "The journal may still come",
                "An accepted job can wait in a queue, and its batch comes later. As long as the time of settling (`journal.settle_minutes`) since the last sending is not over, that nothing is found proves nothing. Nothing was changed.",
                "Run the command again after the time that the message names. A batch that comes by then is found and adopted.";
            JournalLookUpUnproved InDoubt "MLC-6521" "That nothing was found proves nothing",
                "No batch was found, but the same form of question finds no other batch either, or no batch of any kind is visible: the journal may be there and not be seen. Nothing was changed.",
                "Let the integration user see the journal batches of the ledger (its data access set, and the privilege to view journals). In a ledger that has no batch yet, enter any journal by hand, which need not be posted: once the user sees it, the look-up is proved. Then run the command again.";
            JournalLookUpFailed Connection "MLC-6522" "The look-up came to no answer",
                "Oracle could not be asked, or its answer was cut off or cannot be read. That is no answer, so nothing is decided and nothing was changed.",
                "Run the command again. If it lasts, `connection ping NAME` tells what is wrong.";
            JournalStillRuns Conflict "MLC-6523" "The journal's import still runs",
                "Oracle shows a job of the journal's request that has not ended, so its batch may come. Nothing was changed.",
                "Wait for the job to end, or look at it in Oracle's scheduled processes: it may be on hold. What comes of it is found by itself.";
            JournalGivenUp Notice "MLC-6524" "A person gave the journal up",
                "It was in doubt, a look-up under all its group ids proved that it is not in Oracle, and a person decided that it is not sent again. Who, when and why is told by `journals show NAME ID`. It bears its cost no more.",
                "Nothing, if that is right. To post the cost after all, open the task in Asana and complete it again.";
            JournalTakenOver Conflict "MLC-6525" "A node came in between",
                "While Oracle was asked, the lease on the connection's journals ran out and another node took them over, or the connection's settings were changed. What was seen may be out of date, so nothing was changed.",
                "Look where the journal stands (`journals show NAME ID`), then run the command again.";
        }
    };
}
