"""What makes tables of `data/`: planted truths (`coverage`) and recorded runs on real models."""
