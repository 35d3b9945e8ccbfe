"""Language models: loading, probing, steering, and a testbed of small trained models.

Everything that needs torch and transformers lives here; nothing outside this package and the commands that use
it imports torch.  Nothing is imported here either: `import cape_lib.lm` is cheap.
"""
