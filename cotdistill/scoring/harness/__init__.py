"""lm-evaluation-harness: its own tasks, prompts, filters and metrics, unchanged, asked of our checkpoints.

A name becomes an explicit list of its tasks (`tasks`), files of the registry stand in for hubs (`local_data`), the
package is called (`ask`), and what it logged becomes rows and a summary (`rows`). lm_eval is imported inside functions.
"""
