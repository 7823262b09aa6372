"""A small forge for tests: a bare repository over smart HTTP whose pushes start workflows, which ``act`` executes."""
