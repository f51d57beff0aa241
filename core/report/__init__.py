"""The report of a job: one page with its pictures, figures, settings and sources that needs nothing else."""
