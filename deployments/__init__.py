"""What deployments need: work pools, automations, the settings of jobs, and the worker."""
