"""The stages of the pipeline as data: what each reads, writes and depends on. No Prefect."""
