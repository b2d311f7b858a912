"""The reasons under a verdict, a file a tab."""
