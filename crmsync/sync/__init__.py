"""Where the engine, the systems and the tables meet: reconcile, intake, runs, retries. Everything that acts goes through here."""
