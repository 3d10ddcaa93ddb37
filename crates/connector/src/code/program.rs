//! This program and the calls to both sides: keys, settings, database, leases, limits.

macro_rules! program {
    ([$next:ident $($after:ident)*] $($before:tt)*) => {
        $next! { [$($after)*] $($before)*
            KeyMissing Credential "MLC-1201" "No key-encryption key was given",
                "Credentials are stored only encrypted, and the key for that comes from outside the database. Nothing was started.",
                "Make one with `head -c 32 /dev/urandom | base64` and pass it as ML_CONNECTOR_KEY, or put it into a file (mode 0600) and pass --key-file. Keep a copy: without it the stored credentials cannot be read.";
            KeyMalformed Credential "MLC-1202" "The key-encryption key is not 32 bytes in base64",
                "The value of ML_CONNECTOR_KEY or the content of the key file cannot be used as a key. Nothing was started.",
                "Make one with `head -c 32 /dev/urandom | base64`. A key that worked before must be passed unchanged.";
            KeyWrong Credential "MLC-1203" "The credentials were encrypted with another key",
                "The connection's data key is wrapped by a key-encryption key with another fingerprint. The stored credentials are intact but unreadable with this key.",
                "Start with the key that was used when the connection was added. If that key is lost: keep the settings with `connection show NAME --toml`, then `connection remove` and `connection add` again with fresh secrets; existing tasks are found again.";
            CredentialUnreadable Credential "MLC-1204" "A stored credential does not decrypt",
                "The row was changed, or copied from another connection. It is refused, since it may not be what was stored.",
                "Store the credential anew with `connection edit NAME --oracle-secret-file FILE` or `--asana-token-file FILE`.";
            CredentialMissing Credential "MLC-1205" "A credential of the connection is not stored",
                "The connection cannot call the side that needs it.",
                "Store it with `connection edit NAME --oracle-secret-file FILE` or `--asana-token-file FILE`.";
            Database Connection "MLC-1206" "The database did not do what was asked",
                "A statement failed or the database could not be reached. What was not committed is unchanged and is done again.",
                "Look at the cause that is printed with it; check that the server in DATABASE_URL runs and accepts connections.";
            Migration Internal "MLC-1207" "The database's schema does not fit this program",
                "The migrations could not be applied, or the database was made by a newer version.",
                "Run `ml-connector migrate` with the newest version that has worked on this database; restore from a backup if a migration broke off.";
            SettingsInvalid Settings "MLC-1208" "The connection's settings are not valid",
                "Nothing was stored. A file that cannot be read, or names an unknown setting, is told by its first problem and the place; once it can be read, all problems are listed, of each side's addresses the first.",
                "Mend each named setting, in the file if one was given. `connection show NAME --toml` prints those that are stored.";
            ConnectionUnknown Usage "MLC-1209" "There is no connection of that name",
                "Nothing was changed.",
                "`connection list` shows the names.";
            ConnectionExists Conflict "MLC-1210" "A connection of that name exists already",
                "Nothing was changed.",
                "Choose another name, or change the existing one with `connection edit`.";
            ConnectionState Usage "MLC-1211" "The connection is not in a state that allows this",
                "Nothing was changed.",
                "`connection show NAME` prints the state; `connection activate` and `connection pause` change it.";
            LeaseLost Conflict "MLC-1212" "Another node has taken over this work",
                "The lease ran out while this node was busy or asleep. Nothing it had not committed counts; the other node does it again.",
                "Nothing, if it happens rarely. If often: look for a machine that is overloaded or suspended.";
            LeaseBusy Conflict "MLC-1213" "Another node is working on this now",
                "The job is leased. It was not started a second time.",
                "Wait and try again; the lease ends by itself within a minute after its node has gone.";
            InputUnreadable Usage "MLC-1214" "A file or value that was given cannot be read",
                "Nothing was changed.",
                "Check the path, the permissions and the form that the message names. Where it names an editor: set `VISUAL` or `EDITOR` to one that stays until the file is closed, such as `EDITOR=nano`, or give the record as a file with `movements edit NAME ID --body FILE` (`-`: standard input).";
            PodChanged Settings "MLC-1215" "The connection has read from another Oracle pod",
                "Nothing was changed. The ids of one pod name other records in another: tasks, movements and journals of both would be mixed.",
                "Pause this connection and add one for the other pod with `connection add`; `connection show NAME --toml` prints the settings to begin with.";
            AddressTaken Conflict "MLC-1216" "The address cannot be listened at",
                "Nothing was started.",
                "Another program listens there, or the address is not this machine's: stop that program, or choose another address with `--listen` or `--hooks-listen`.";
            SideFailing Connection "MLC-1301" "One side of the connection keeps failing",
                "Five calls in a row failed, or the side announced a maintenance, so it is asked seldom: one job at a time tries it, after a while that grows to five minutes. All other work that needs the side waits; nothing is lost, and it goes on by itself with the first answer.",
                "Look at the code that is named with it. After `connection edit` both sides are asked again at once.";
        }
    };
}
