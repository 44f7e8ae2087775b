/* aviary_idle.h: the aviary's tables (aviary.smithy) with bodies that do nothing, for what runs none of them. */
#ifndef BRUME_TEST_AVIARY_IDLE_H
#define BRUME_TEST_AVIARY_IDLE_H

#include "tests/aviary.c"

Error aviary_put_bird(Call *call, Txn *txn, const PutBirdInput *input, PutBirdOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_get_best(Call *call, Txn *txn, const GetBestInput *input, GetBestOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_get_bird(Call *call, Txn *txn, const GetBirdInput *input, GetBirdOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_get_file(Call *call, Txn *txn, const GetFileInput *input, GetFileOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_put_song(Call *call, Txn *txn, const PutSongInput *input, PutSongOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_put_words(Call *call, Txn *txn, const PutWordsInput *input, PutWordsOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_put_nest(Call *call, Txn *txn, const PutNestInput *input, PutNestOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_put_papers(Call *call, Txn *txn, const PutPapersInput *input, PutPapersOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_listen(Call *call, Txn *txn, const ListenInput *input, ListenOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_sing(Call *call, Txn *txn, const SingInput *input, SingOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

#endif
