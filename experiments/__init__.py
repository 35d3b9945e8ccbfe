"""What makes tables of `data/`: planted truths (`coverage`), the testbed, and recorded runs on real models."""
