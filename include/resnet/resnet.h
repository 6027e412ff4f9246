/** All of libresnet's public interface. */
#ifndef RESNET_RESNET_H
#define RESNET_RESNET_H

#include "resnet/augment.h"
#include "resnet/base.h"
#include "resnet/batch.h"
#include "resnet/compare.h"
#include "resnet/dashboard.h"
#include "resnet/data.h"
#include "resnet/engine.h"
#include "resnet/evaluate.h"
#include "resnet/graph.h"
#include "resnet/history.h"
#include "resnet/image.h"
#include "resnet/measure.h"
#include "resnet/optim.h"
#include "resnet/plan.h"
#include "resnet/plot.h"
#include "resnet/recipe.h"
#include "resnet/report.h"
#include "resnet/reproduce.h"
#include "resnet/store.h"
#include "resnet/train.h"

#endif
