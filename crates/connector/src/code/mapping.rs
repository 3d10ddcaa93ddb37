//! Why a movement is held or was given up.

macro_rules! mapping {
    ([$next:ident $($after:ident)*] $($before:tt)*) => {
        $next! { [$($after)*] $($before)*
            NoRoute Settings "MLC-4001" "No routing rule fits the order",
                "There is no rule that matches and no default project. Nothing was written.",
                "Add a rule or `[routing.default]`, then the order is sent by itself.";
            FieldMissing MissingReference "MLC-4002" "A mapped field is not on the project",
                "Asana refuses values for a field that is not on one of the task's projects. Nothing was written.",
                "Add the field to the project in Asana, or map another field.";
            FieldType Settings "MLC-4003" "A mapped field has a type that cannot hold the value",
                "Nothing was written.",
                "Map a field of the named type; a field's type cannot be changed in Asana.";
            FieldCurrency Value "MLC-4004" "The field's currency is not the order's",
                "A currency field shows every number in its one currency; writing another would be false. Nothing was written.",
                "Map a number field without currency format instead, and `fields.currency` beside it, so that the task still says which currency it is.";
            AmountMissing Value "MLC-4005" "An amount is missing in the record",
                "Oracle sent null where an amount is needed. Nothing is guessed and nothing was written.",
                "Complete the line in Oracle.";
            NoLines Value "MLC-4006" "The order has no lines",
                "The amount is the sum of the lines, and there is none. Nothing was written.",
                "Complete the order in Oracle; if it has lines there, the integration user may not see them.";
            TooManyDigits TooLarge "MLC-4007" "The amount has more digits than Asana keeps",
                "Asana stores numbers with 15 significant digits. The exact amount is in the document and the log.",
                "Split the order in Oracle, or take the field out of `[fields]` if it is an optional one.";
            PrecisionLoss Value "MLC-4008" "The field's precision would lose decimals",
                "Asana rounds to the field's precision. Nothing was written.",
                "Raise the field's precision in Asana (0 to 6).";
            NoOption MissingReference "MLC-4009" "The enum field has no such option",
                "Nothing was written.",
                "Where `reference.options` names what the field shows, run `ml-connector reference sync NAME`: it makes the options, and what was held for want of one is planned again. Else add the option to the field in Asana with exactly this name, or map a text field.";
            NumberAmbiguous Conflict "MLC-4010" "Several orders share this number, and a task carries it",
                "An order number is unique only within a legal entity. Which order the task stands for cannot be told. Nothing was written.",
                "Route the legal entities or business units to different projects.";
            CurrencyMixed Value "MLC-4011" "Amounts of different currencies would be added",
                "Nothing was written.",
                "Look at the named record in Oracle.";
            NumberUnreadable Value "MLC-4012" "A number cannot be computed with exactly",
                "It has more than 28 digits. Its text is kept in the document and the log.",
                "Correct it in Oracle if it is a mistake.";
            FieldReadOnly Permission "MLC-4013" "A mapped field cannot be written",
                "Formula, ID and read-only fields take no values.",
                "Map another field.";
            TemplateFailed Value "MLC-4014" "The task template fails",
                "The name or notes of the task could not be rendered. Nothing was written.",
                "Mend `tasks.name` or `tasks.notes`.";
            NoTask MissingReference "MLC-4015" "No task carries the order number, and creating is off",
                "Nothing was written.",
                "Put the order number onto a task in a mapped project, or set `tasks.create = true`.";
            InvoiceAmbiguous Conflict "MLC-4016" "The invoice names an order number that several orders share",
                "Neither legal entity nor business unit tells which order is meant. Nothing was written.",
                "Look at the invoice in Oracle; fill in its business unit or legal entity.";
            OutOfAttempts Connection "MLC-4017" "All attempts were used up",
                "The last error stands in the movement's reason. Nothing is lost: the value is sent with the record's next change.",
                "Mend the cause. The record's next change brings the newest state; a change of the connection's settings has every record compared anew.";
            LookupMissing Value "MLC-4018" "A look-up table has no entry for a value",
                "The mapping's value has a look-up table without this entry, and no default. Nothing was written.",
                "Add the entry to `lookup`, or a `default`, with `connection edit NAME`.";
            ValueAmbiguous Value "MLC-4019" "A value of the mapping has several values at once",
                "The record has more than one at the end of the path, and the mapping does not say what becomes of them. Nothing was written.",
                "Say `join`, `sum` or `first` for the value, with `connection edit NAME`.";
            ValueUnfit Value "MLC-4020" "A value of the mapping is no number or date",
                "The mapping takes it for one, but this record has something else there. Nothing was written.",
                "Correct the record in Oracle, or take the value as text.";
            ConditionFailed Value "MLC-4021" "A condition of the mapping cannot be computed for this record",
                "Often something is null in the record that the condition compares. Nothing was written.",
                "Mend `when`: ask for null first, as in `order.total != null && order.total > 1000`.";
        }
    };
}
