"""coffee: many coding agents on one repository, landed through tests, with nothing lost."""
