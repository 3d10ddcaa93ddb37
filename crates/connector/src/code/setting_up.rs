//! Reference data, and setting a connection up.

macro_rules! setting_up {
    ([$next:ident $($after:ident)*] $($before:tt)*) => {
        $next! { [$($after)*] $($before)*
            FieldsUnmapped Settings "MLC-8101" "Required Asana fields are not mapped yet",
                "A draft may lack them, but nothing is read or written before PO number, supplier, invoice status and line-item amount each have a field.",
                "Run `ml-connector connection provision NAME`, which shows what it would create and asks first; or write the gids of existing fields into `[fields]`.";
            FieldConflict Conflict "MLC-8102" "A custom field of that name cannot be used",
                "The workspace or a mapped project has a field of the same name that is of another type, or belongs to one project only. It is never taken over, since its values would change their meaning, and Asana allows no second one of the name. Nothing was created.",
                "Rename the field in Asana, give another name with `--name PURPOSE=NAME`, or write the gid of the field that should be used into `[fields]`.";
            FieldLimit TooLarge "MLC-8103" "A project has no room for another custom field",
                "Asana limits the custom fields of a project; its specification says 20, and private fields that cannot be seen count too. What was created stands in the workspace's library and is found again by its name; the connection's settings were not changed.",
                "Take unused fields off the project in Asana, or ask for fewer optional ones, then provision again.";
            FieldPlan Permission "MLC-8104" "Custom fields need a paid Asana plan",
                "The workspace is on a free plan, or the token belongs to a guest. Without custom fields no task can show anything. Nothing was created.",
                "Upgrade the workspace, or use one with a paid plan and a token of a member of it.";
            FieldNotCreated Permission "MLC-8105" "Asana did not create a custom field",
                "What was created before it stands in the workspace's library and is found again by its name; the connection's settings were not changed.",
                "Look at Asana's words that are printed with it: the token's user may lack the right to create fields or to edit the project, or the name is that of a built-in property. Then provision again.";
            SecretUnreadable Credential "MLC-8106" "A secret that the file refers to cannot be read",
                "The environment variable is not set, or the file cannot be read or is empty. Nothing was changed.",
                "Set the variable or write the file, readable by this program alone; or leave the entry out to keep the stored secret.";
            DryRunMissing Usage "MLC-8107" "The first activation needs a dry run",
                "Nobody has seen yet what the first synchronisation would write with the present settings. The connection stays as it was.",
                "Run `ml-connector connection dry-run NAME` without --since and --limit, look at what it shows, and activate again; or say `--without-dry-run`.";
            DryRunBroken Internal "MLC-8108" "The dry run could not keep its records aside",
                "A dry run keeps what it reads in a temporary file, since it writes nothing to the database. That file could not be written or read.",
                "Look at the cause that is printed with it; make room in the temporary directory, or name another one with TMPDIR.";
            DryRunReport Usage "MLC-8109" "The report cannot be written",
                "The dry run itself was made; only its file is missing.",
                "Name a file in a directory that this program may write to.";
            GuideNoTerminal Usage "MLC-8110" "The guide needs a terminal",
                "`connection setup` asks one thing after the other, so a person must sit at the other end. Standard input or standard error is no terminal, or --json was given. Nothing was changed.",
                "Run it in a terminal. For scripts write the same answers into one file and run `ml-connector connection apply -f connection.toml`; docs/onboarding.md shows such a file.";
            AddressSilent Connection "MLC-8111" "Nothing answers at the address",
                "The guide tried to connect to the host of the address that was given, before it asks for a secret. The name is not known, or nothing takes connections there. Nothing was sent.",
                "Compare the address with the one that your browser shows. When this machine reaches the outside only through a proxy, say yes to using it all the same: the next test asks through the proxy.";
            FieldFirstOption MissingReference "MLC-8112" "A single-select field cannot be made without an option",
                "The options of the field are kept in step with Oracle's suppliers or accounts, and none is known yet. Asana wants at least one that can be chosen. Nothing was created.",
                "`connection provision` reads them by itself: see in Oracle whether the user may read them, and `ml-connector reference sync NAME`.";
            SettingsVersionUnknown Usage "MLC-8120" "There is no such version of the settings",
                "Each change of a connection's settings is kept under a number. This number is none of them.",
                "`ml-connector connection history NAME` lists the versions.";
            ReferenceShrunk Permission "MLC-8001" "Oracle shows far fewer suppliers or accounts than before",
                "A user who lost access is answered with fewer rows and no error. What was read is stored; what was not shown is not marked as gone.",
                "Check what the integration user may see. If so much was really removed, remove the connection and add it anew; until then the old rows stay.";
            TooManyOptions TooLarge "MLC-8002" "A field would need more options than Asana allows",
                "Asana allows 500 options in a field, disabled ones included, and an option is never deleted. No option was made, renamed or switched. A value for which there is no option goes to the text field in `reference.text`, or its movement is held.",
                "Map a text field instead, or name a text field in `reference.text`. A field full of disabled options can be replaced by a new one.";
            OptionsInUse Notice "MLC-8003" "Only the options that orders name are kept",
                "All suppliers or accounts that may be used do not fit into the field: Asana allows 500 options, disabled ones included. Those that stored orders name have options; the others cannot be chosen on a task.",
                "Nothing, if people only choose what orders name. Else map a text field.";
            OptionsField Settings "MLC-8004" "A field whose options are to be kept is no single-select field",
                "The field of a purpose in `reference.options` is on no mapped project, is of another type, or cannot be written. Its options were not touched. An active connection refuses settings with such a field (MLC-8121): here they are those of a draft, or older than that check, or the field was changed in Asana since.",
                "Map a single-select field that stands on the mapped projects, or take the purpose out of `reference.options`. `ml-connector connection mapping NAME` shows what is wrong.";
            ReferenceNoChart MissingReference "MLC-8005" "It is not known which chart of accounts to read",
                "Account combinations are read for one chart of accounts, and neither `reference.chart_of_accounts` nor a ledger in `[journal]` tells which, or Oracle does not show the ledger. No account was read.",
                "Set `reference.chart_of_accounts` to the number of one of the charts that the message lists: `ml-connector connection edit NAME --set reference.chart_of_accounts=NUMBER`. If it lists none, ask whoever knows the ledger, or see to it that the integration user may read `ledgersLOV`.";
            ReferenceMoved Conflict "MLC-8006" "Rows moved while they were read",
                "Oracle documents no order for these rows. One came twice, so another may have been missed. What was read is stored; nothing is marked as gone.",
                "Nothing: it is read again. If it happens every time, read while nobody changes accounts.";
            ChoiceInvalid Value "MLC-8010" "A person chose a supplier or account that may not be used",
                "A task shows a supplier or an account that Oracle does not know, does not show any more, or does not allow to be used today. This program did not write it there. Where an order belongs to the task, the order's next change puts its own value there.",
                "`ml-connector reference check NAME` lists the tasks and the values. Choose another value on the task, or mend the supplier or account in Oracle and run `ml-connector reference sync NAME`.";
            ReferenceInvalid Value "MLC-8011" "The order names a supplier or account that may not be used",
                "Oracle says that the supplier or account is inactive, out of its dates or gone, and the settings say `reference.invalid = \"hold\"`. Nothing was written.",
                "Mend the order, the supplier or the account in Oracle; after the next reading the order is sent by itself. Or set `reference.invalid = \"write\"`.";
            MappingRefused Settings "MLC-8121" "The mapping does not fit Oracle or Asana",
                "A mapping document, the options that `reference.options` asks for, or the fields of `[reference.text]` do not go with Oracle's records or with Asana's fields as they are. All problems are named, each with its place. Nothing was changed.",
                "Mend what is named, and look at it with `connection mapping NAME`.";
            ProjectShared Conflict "MLC-8122" "Another active connection posts journals for tasks of the same project",
                "Both would write the tasks there, and which of them posts the cost of a completed one would be chance. Nothing was changed.",
                "Let one connection serve the project: take it out of the other's `[routing]`, take `[journal]` out of one of them, or pause the other for good (`connection pause NAME`).";
        }
    };
}
