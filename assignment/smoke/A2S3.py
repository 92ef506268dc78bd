def compute_accuracy(predictions, labels):
    return (predictions == labels).float().mean().item()
