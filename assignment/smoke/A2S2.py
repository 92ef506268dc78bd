# A tiny submission of sections 2.1 and 3, which a working image must grade as expected.json says.


def pairwise_similarities(Q, K):
    return Q @ K.transpose(-2, -1)


def attn_softmax(A):
    return A / A.sum(dim=-1, keepdim=True)
