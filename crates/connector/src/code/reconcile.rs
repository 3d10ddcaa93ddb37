//! What a reconciliation finds that needs a person.

macro_rules! reconcile {
    ([$next:ident $($after:ident)*] $($before:tt)*) => {
        $next! { [$($after)*] $($before)*
            ReconcileUnseen Permission "MLC-4501" "A mapped project cannot be listed, so missing tasks are not judged",
                "Tasks that were not listed may stand in the project that Asana does not show. None of them is taken for deleted.",
                "Give the token's user access to the project, or take the project out of the routing, and compare again.";
            ReconcileRemoved MissingReference "MLC-4502" "Oracle no longer shows a record that is stored",
                "The record was removed in Oracle, or the user lost sight of it. Its values still stand in Asana.",
                "Look the record up in Oracle. An invoice that was removed is forgotten by `ml-connector reconcile NAME`; of an order, delete the task in Asana, and the next reconciliation forgets the link.";
            ReconcileManyRemoved MissingReference "MLC-4503" "So many records are missing in Oracle that the user seems to have lost sight of them",
                "A large part of what is stored is not there any more. None of it was forgotten, since a lost role or business unit looks the same.",
                "Check the Oracle user's data access. What was really removed can then be told apart; see docs/reconcile.md.";
            ReconcileDuplicate Conflict "MLC-4504" "Two tasks were made for one order",
                "Both tasks carry the order's key in their notes, and both get the values. Nothing is deleted in Asana by the program.",
                "Keep the one that people work with and delete the other in Asana.";
            ReconcileElsewhere MissingReference "MLC-4505" "A linked task stands in no mapped project",
                "Somebody took the task out of the mapped projects, or the token's user may no longer see it. It exists, but its values cannot be kept.",
                "Put the task back into a mapped project, or delete it; then the order gets a new one as the settings say.";
            ReconcileCompletion Internal "MLC-4506" "A completion has neither a journal nor a reason",
                "A completed task brought no journal, and nothing says why. This must never happen.",
                "Look at it with `ml-connector journals show NAME TASK` and report it; the journal can be made by opening the task and completing it again.";
            ReconcileBatch MissingReference "MLC-4507" "A journal that is said to be imported is not in Oracle",
                "Its batch is not found under its id. Somebody deleted the batch in General Ledger, or the user lost sight of the ledger.",
                "Look the batch up in General Ledger. The connector does not send a journal again by itself once it was imported.";
            ReconcileDrift Conflict "MLC-4508" "Both systems differ, and nobody has put it right",
                "The last reconciliation found differences that it was not to repair, or could not. Each is stored with the values that were expected and those that were shown.",
                "See them with `ml-connector reconcile NAME --last`. `ml-connector reconcile NAME` puts right what it can; `reconcile.drift = \"repair\"` does so every time. What is left needs a person, as the code beside it says.";
            ReconcileOvertaken Conflict "MLC-4509" "The settings were changed while both systems were compared",
                "What was found fits the settings of before, so nothing was put right. It was compared anew, and the settings changed again.",
                "Run it again when nobody is changing the connection.";
            ReconcileNever MissingReference "MLC-4510" "No reconciliation of the connection has ended yet",
                "There is no stored report. One is made by `serve` as `reconcile.every` says, for the first time that long after the connection was activated, and by `ml-connector reconcile NAME`; a check stores nothing.",
                "Run `ml-connector reconcile NAME`, or wait for the schedule.";
        }
    };
}
